"""Whose credentials they are, and which account and region they may touch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from biomodal_deploy.aws.checks import Check, CheckData, Verdict, run_checks
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.preflight import run_preflight
from biomodal_deploy.aws.preflight.caller import ActionGroup, Needed, caller_policy
from biomodal_deploy.aws.preflight.facts import Facts
from biomodal_deploy.aws.preflight.target import Target
from biomodal_deploy.config.settings import Bounds
from tests.support.preflight_cases import answer
from tests.support.recorded_aws import ACCOUNT, REGION, RecordedAws, Refusal, role, verdicts

FAIL, WARNING = Verdict.FAIL, Verdict.WARNING


@pytest.mark.parametrize(
    ("limits", "verdict", "line"),
    [
        (Bounds(), Verdict.PASS, "no limits"),
        (Bounds(account_ids=(ACCOUNT,), regions=(REGION,)), Verdict.PASS, "within"),
        (Bounds(regions=(REGION,)), Verdict.PASS, "no account is named"),
        (Bounds(regions=("us-east-1",)), FAIL, f"limited to us-east-1, not {REGION}"),
        (Bounds(account_ids=("210987654321",)), FAIL, f"account 210987654321, not {ACCOUNT}"),
    ],
)
def test_limits(
    aws: RecordedAws, target: Target, limits: Bounds, verdict: Verdict, line: str
) -> None:
    """Account and region have to be those that the stack may touch."""
    found = answer(aws, replace(target, limits=limits), "limits")
    assert (found.verdict, line in found.line) == (verdict, True), found


def test_other_partitions(aws: RecordedAws, target: Target) -> None:
    """The module writes arn:aws, which is another world's name elsewhere."""
    there = replace(target, bootstrap="module", region="us-gov-west-1")
    report = run_preflight(there, aws.session(there.region))
    found = {each.check: each for each in report.checks}
    assert found["partition"].verdict is WARNING
    assert '"bootstrap": "native"' in (found["partition"].fix or "")


def needed(target: Target, account: str) -> Needed:
    """Return what a small stack needs."""
    role = f"arn:aws:iam::{account}:role/{target.vm_name}"
    service = {"iam:PassedToService": ("ec2.amazonaws.com",)}
    looks = ActionGroup(("ec2:DescribeImages", "ec2:DescribeVpcs"))
    return Needed((looks, ActionGroup(("iam:PassRole",), (role,), service)))


def denied(**detail: Any) -> dict[str, Any]:
    """Return a denial as IAM's simulator explains it."""
    found = {"EvalActionName": "iam:PassRole", "EvalDecision": "implicitDeny", **detail}
    return {"EvaluationResults": [found]}


def judged(aws: RecordedAws, target: Target) -> CheckData:
    """Return the check's answer."""
    facts = Facts(target, Clients(aws.session(), target.region), frozenset())
    check = Check("x", "x", partial(caller_policy, facts, needed))
    return run_checks([check], facts.clients, 12.0)[0]


def calling_as(aws: RecordedAws, arn: str) -> None:
    """Change who is calling."""
    aws.answers["sts.GetCallerIdentity"] = {"Account": ACCOUNT, "Arn": arn, "UserId": "x"}


def test_all_is_allowed(aws: RecordedAws, target: Target) -> None:
    """A user of enough power passes, and IAM was asked about the real names and conditions."""
    asked: list[Mapping[str, Any]] = []

    def simulate(parameters: Mapping[str, Any]) -> dict[str, Any]:
        asked.append(parameters)
        return verdicts()(parameters)

    aws.answers["iam.SimulatePrincipalPolicy"] = simulate
    found = judged(aws, target)
    assert found.verdict is Verdict.PASS
    assert "all 3 actions" in found.line
    passing = next(each for each in asked if each["ActionNames"] == ["iam:PassRole"])
    assert passing["PolicySourceArn"] == f"arn:aws:iam::{ACCOUNT}:user/ada"
    assert passing["ResourceArns"] == [f"arn:aws:iam::{ACCOUNT}:role/{target.vm_name}"]
    assert passing["ContextEntries"] == [
        {
            "ContextKeyName": "iam:PassedToService",
            "ContextKeyValues": ["ec2.amazonaws.com"],
            "ContextKeyType": "string",
        }
    ]


def test_a_missing_action_is_named(aws: RecordedAws, target: Target) -> None:
    """What is denied is named, with where the policy comes from that allows it."""
    aws.answers["iam.SimulatePrincipalPolicy"] = verdicts(iam_PassRole="implicitDeny")
    found = judged(aws, target)
    assert found.verdict is Verdict.FAIL
    assert found.line == "1 of 3 actions are denied: iam:PassRole"
    assert "biomodal-aws policy deployer" in (found.fix or "")


BY_ORGANIZATION = {"OrganizationsDecisionDetail": {"AllowedByOrganizations": False}}
BY_BOUNDARY = {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False}}


@pytest.mark.parametrize(
    ("detail", "words"),
    [(BY_ORGANIZATION, "service control"), (BY_BOUNDARY, "permissions boundary")],
)
def test_who_denies(aws: RecordedAws, target: Target, detail: dict[str, Any], words: str) -> None:
    """A caller who cannot change the denying policy learns whose it is."""
    aws.answers["iam.SimulatePrincipalPolicy"] = denied(**detail)
    assert words in judged(aws, target).line


def test_conditions_that_the_simulator_is_not_told(aws: RecordedAws, target: Target) -> None:
    """A policy that hangs on MFA or a source address is neither passed nor failed."""
    missing = ["aws:MultiFactorAuthPresent"]
    aws.answers["iam.SimulatePrincipalPolicy"] = denied(MissingContextValues=missing)
    assert judged(aws, target).verdict is Verdict.UNKNOWN


def test_a_role_with_a_path(aws: RecordedAws, target: Target) -> None:
    """A session's ARN leaves out the path of its role, which the simulator wants."""
    calling_as(aws, f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/ada")
    path = "/aws-reserved/sso.amazonaws.com/"
    aws.answers["iam.GetRole"] = {"Role": role("deployer", path)}
    assert f"role{path}deployer" in judged(aws, target).line


def test_root(aws: RecordedAws, target: Target) -> None:
    """The simulator refuses to judge root, which may do everything."""
    calling_as(aws, f"arn:aws:iam::{ACCOUNT}:root")
    assert judged(aws, target).verdict is Verdict.PASS
    assert "iam.SimulatePrincipalPolicy" not in aws.calls


def test_a_federated_user(aws: RecordedAws, target: Target) -> None:
    """Whom the simulator does not know is not judged."""
    calling_as(aws, f"arn:aws:sts::{ACCOUNT}:federated-user/ada")
    assert judged(aws, target).line == "IAM's simulator knows no federated-user"


def test_the_simulator_may_not_be_asked(aws: RecordedAws, target: Target) -> None:
    """Most deployers may not: then nobody can tell."""
    aws.answers["iam.SimulatePrincipalPolicy"] = Refusal("AccessDenied", status=403)
    found = judged(aws, target)
    assert found.verdict is Verdict.UNKNOWN
    assert found.fix == "allow iam:SimulatePrincipalPolicy to the caller"
