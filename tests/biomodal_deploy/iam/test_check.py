"""Tests of `biomodal_deploy.iam.check`."""

from __future__ import annotations

from typing import Any

import pytest

from biomodal_deploy.iam import Place
from biomodal_deploy.iam.catalog import LIFE_CYCLE, Phase
from biomodal_deploy.iam.check import Fault, Finding, check
from biomodal_deploy.iam.language import parse_policy
from biomodal_deploy.iam.needs import Need
from biomodal_deploy.iam.policies import policies

PLACE = Place(partition="aws", region="eu-west-2", account="123456789012")
ARN = "arn:aws:ec2:eu-west-2:123456789012"


def need(action: str, *resources: str, phase: str = "apply", **condition: Any) -> Need:
    """Return a need of a VM called dev."""
    return Need(
        address="aws_instance.vm",
        kind="aws_instance",
        phase=phase,
        action=action,
        resources=resources or ("*",),
        condition=condition,
        tags={"Name": "dev"},
        why="test",
        unobserved=None,
    )


def equals(**values: str) -> dict[str, Any]:
    """Return a condition on the region of a call or the name of a resource."""
    keys = {"region": "aws:RequestedRegion", "name": "aws:ResourceTag/Name"}
    return {"StringEquals": {keys[key]: value for key, value in values.items()}}


def faults(fault: Fault, statement: dict[str, Any], *needs: Need) -> list[str]:
    """Return the details of one kind of fault."""
    return [each.detail for each in found(statement, needs=needs) if each.fault is fault]


TERMINATE = need(
    "ec2:TerminateInstances",
    f"{ARN}:instance/*",
    phase="destroy",
    StringEquals={"aws:ResourceTag/Name": ("dev",)},
)
IMPORT = need("ec2:ImportKeyPair", f"{ARN}:key-pair/dev")
DESCRIBE = need("ec2:DescribeInstances", phase="plan")


def found(*statements: dict[str, Any], needs: tuple[Need, ...]) -> list[Finding]:
    """Check statements, Allow where they do not say."""
    policy = parse_policy({"Statement": [{"Effect": "Allow", **each} for each in statements]})
    return list(check([policy], needs, PLACE))


def test_the_compiled_policy_is_faultless() -> None:
    """What is compiled lacks nothing, knows its actions and gives nothing away."""
    needs = (TERMINATE, IMPORT, DESCRIBE)
    own = [parse_policy(each.as_json()) for each in policies(needs, "x")]
    assert check(own, needs, PLACE) == ()


def test_what_is_missing() -> None:
    """A missing action is said with phase, resource and whoever needs it."""
    [finding] = found(
        {"Action": "ec2:DescribeInstances", "Resource": "*"}, needs=(DESCRIBE, IMPORT)
    )
    assert finding == Finding(
        fault=Fault.MISSING,
        action="ec2:ImportKeyPair",
        resources=(f"{ARN}:key-pair/dev",),
        phases=("apply",),
        addresses=("aws_instance.vm",),
        detail="not granted",
    )


@pytest.mark.parametrize(
    ("resource", "more", "detail"),
    [
        (f"{ARN}:key-pair/other", {}, "granted only on key-pair/other"),
        ("*", {"Condition": equals(region="us-east-1")}, "granted only on *, under conditions"),
    ],
)
def test_why_it_is_missing(resource: str, more: dict[str, Any], detail: str) -> None:
    """An action that is granted elsewhere is said to be."""
    statement = {"Action": "ec2:ImportKeyPair", "Resource": resource, **more}
    assert faults(Fault.MISSING, statement, IMPORT) == [detail]


def test_a_denial_is_named() -> None:
    """A Deny is what is missing, by its name."""
    allow = {"Action": "ec2:DescribeInstances", "Resource": "*"}
    deny = {"Sid": "Not", "Effect": "Deny", "Action": "ec2:*", "Resource": "*"}
    [finding] = found(allow, deny, needs=(DESCRIBE,))
    assert finding.detail == "denied by statement Not"


def test_what_depends_on_the_unknown() -> None:
    """A condition on what nobody knows beforehand is neither granted nor missing."""
    condition = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    statement = {"Action": "ec2:DescribeInstances", "Resource": "*", "Condition": condition}
    [finding] = found(statement, needs=(DESCRIBE,))
    assert finding.fault is Fault.DEPENDS
    assert "aws:MultiFactorAuthPresent" in finding.detail


def test_conditions_that_the_stack_meets() -> None:
    """Region, account and tags of the stack are known, so a policy may ask for them."""
    condition = equals(region="eu-west-2", name="dev")
    condition["StringEquals"]["aws:PrincipalAccount"] = "123456789012"
    statement = {"Action": "ec2:TerminateInstances", "Resource": "*", "Condition": condition}
    assert found(statement, needs=(TERMINATE,)) == []


def test_what_iam_does_not_know() -> None:
    """Names that are no actions, and placeholders that nobody filled in."""
    actions = ["ec2:DescribeInstances", "s3:ListObjectsV2"]
    statement = {"Action": actions, "Resource": ["*", "arn:aws:s3:::${BucketName}", "my-bucket"]}
    assert faults(Fault.UNKNOWN, statement, DESCRIBE) == [
        "IAM has no such action",
        "BucketName was never filled in: it matches nothing",
        "a resource is an ARN or *; IAM refuses the policy",
    ]


def test_ids_as_ec2_begins_them() -> None:
    """`instance/i-*` is every instance, as AWS's own examples write it."""
    on = {"Resource": f"{ARN}:instance/i-*", "Condition": equals(name="dev")}
    assert found({"Action": "ec2:TerminateInstances", **on}, needs=(TERMINATE,)) == []


@pytest.mark.parametrize(
    ("statement", "detail"),
    [
        ({"Action": "ec2:*", "Resource": "*"}, "actions that nothing needs"),
        ({"Action": "ec2:RebootInstances", "Resource": "*"}, "nothing needs it"),
        ({"NotAction": "iam:*", "Resource": "*"}, "NotAction allows everything else"),
        ({"Action": "ec2:TerminateInstances", "Resource": "*"}, "where aws:ResourceTag/Name = dev"),
        ({"Action": "ec2:ImportKeyPair", "Resource": f"{ARN}:key-pair/*"}, "on key-pair/dev"),
    ],
)
def test_what_is_broader_than_needed(statement: dict[str, Any], detail: str) -> None:
    """Actions that nothing needs, and reach beyond the stack's own things."""
    assert any(detail in each for each in faults(Fault.BROADER, statement, TERMINATE, IMPORT))


def test_what_gives_nothing_away() -> None:
    """What AWS allows on everything only, and to everyone, is not broad."""
    free = {"Action": ["sts:GetCallerIdentity", "ec2:DescribeInstances"], "Resource": "*"}
    assert found(free, needs=(DESCRIBE,)) == []


def test_policies_count_together() -> None:
    """One policy may grant what another does not."""
    halves = [parse_policy(each.as_json()) for each in policies((IMPORT,), "a")]
    halves += [parse_policy(each.as_json()) for each in policies((DESCRIBE,), "b")]
    assert check(halves, (IMPORT, DESCRIBE), PLACE) == ()
    assert [each.action for each in check(halves[:1], (IMPORT, DESCRIBE), PLACE)] == [
        "ec2:DescribeInstances"
    ]


def test_phases_are_said_together() -> None:
    """One finding names all phases that miss an action."""
    assert LIFE_CYCLE[0] is Phase.PLAN
    [finding] = found(
        {"Action": "sts:GetCallerIdentity", "Resource": "*"},
        needs=(DESCRIBE, need("ec2:DescribeInstances", phase="destroy")),
    )
    assert finding.phases == ("plan", "destroy")
