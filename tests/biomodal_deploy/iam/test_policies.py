"""Tests of `biomodal_deploy.iam.policies`, on random names, regions and values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import combinations
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pytest
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from biomodal_deploy.config.contract import variables_of
from biomodal_deploy.errors import UsageError
from biomodal_deploy.iam import Place, iam_reference
from biomodal_deploy.iam.catalog import LIFE_CYCLE, Phase
from biomodal_deploy.iam.evaluate import Request, decide
from biomodal_deploy.iam.language import parse_policy
from biomodal_deploy.iam.needs import Needs, needs_of
from biomodal_deploy.iam.policies import (
    MANAGED_LIMIT,
    Policy,
    policies,
    size,
    state_policy,
    statements,
)
from biomodal_deploy.iam.stack import Document
from tests.support.changes import HARDENED_MODULE, HARDENED_NATIVE, MODULE, NATIVE
from tests.support.examples import examples
from tests.support.linted import assert_sound, complaints, known
from tests.support.permissions_page import SNAPSHOTS
from tests.support.project import ROOT

ACCOUNT: Final = "123456789012"
# IAM user guide, "IAM and AWS STS quotas": managed policies that one user or role may have.
MOST_POLICIES: Final = 10
PARTITIONS: Final = ("aws", "aws-cn", "aws-us-gov")
STACKS: Final = {
    ("module", "documented"): MODULE,
    ("native", "documented"): NATIVE,
    ("module", "hardened"): HARDENED_MODULE,
    ("native", "hardened"): HARDENED_NATIVE,
}
ROLES: Final = ROOT / SNAPSHOTS / "test_prerequisites" / "test_snapshot.json"
STATE_BUCKET: Final = ROOT / SNAPSHOTS / "test_state_bucket" / "test_snapshot[full].json"


@cache
def stack(bootstrap: str, profile: str) -> Document:
    """Return a synthesized stack, as its snapshot has it."""
    return Document.model_validate(json.loads(STACKS[bootstrap, profile].read_text()))


def compiled(bootstrap: str, profile: str = "documented", **values: Any) -> Needs:
    """Return what a stack needs with some values."""
    given_values = {
        "region": "eu-west-2",
        "vpc_id": "vpc-0123456789abcdef0",
        "subnet_id": "subnet-0123456789abcdef0",
        "vm_name": "dev-vm",
    } | values
    place = Place.of(given_values["region"], ACCOUNT)
    return needs_of(stack(bootstrap, profile), given_values, place)


def holds(bootstrap: str, name: str, value: str) -> bool:
    """Return whether a value keeps the variable's rules."""
    [variable] = [each for each in variables_of(bootstrap, "hardened") if each.name == name]
    return all(rule.holds(value) for rule in variable.rules)


@cache
def regions(bootstrap: str) -> list[str]:
    """Return the regions that a stack can go to."""
    # The upstream module writes `arn:aws` into its roles' ARNs: it works in that partition only.
    partitions = PARTITIONS[:1] if bootstrap == "module" else PARTITIONS
    return [
        region
        for partition in partitions
        for region in Session().get_available_regions("ec2", partition)
    ]


NAMES: Final = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,9}){0,5}", fullmatch=True)
LONGEST: Final = "n" * 63
EVERY_OPTION: Final[dict[str, Any]] = {
    "access_log_bucket": "lab-logs",
    "alarm_topic_arn": f"arn:aws:sns:eu-west-2:{ACCOUNT}:pager",
    "log_retention_days": 30,
    "monthly_budget_usd": 100,
    "permissions_boundary_arn": f"arn:aws:iam::{ACCOUNT}:policy/boundary",
    "ssh_cidr_blocks": ["192.0.2.0/24"],
    "ssh_public_key": "ssh-ed25519 AAAA",
}
OFF: Final = {
    "log_retention_days": 0,
    "monthly_budget_usd": 0,
    "ssh_cidr_blocks": [],
    "ssh_public_key": "",
}
OPTIONS: Final = st.fixed_dictionaries(
    {},
    optional={
        **{name: st.sampled_from([OFF.get(name, on), on]) for name, on in EVERY_OPTION.items()},
        "ami_id": st.just("ami-0123456789abcdef0"),
        "iam_name_prefix": st.from_regex(r"[A-Za-z0-9_+=,.@-]{0,20}", fullmatch=True),
    },
)
TAG_TEXT: Final = st.text("aZ09 é中_.:/=+-@", min_size=1, max_size=128)


@pytest.mark.slow
@pytest.mark.parametrize(("bootstrap", "profile"), STACKS)
@examples(10, slow=True)
@given(data=st.data())
def test_whatever_the_values(bootstrap: str, profile: str, data: st.DataObject) -> None:
    """Every policy of every phase keeps IAM's size rules, and a linter finds nothing in it."""
    values = {
        "vm_name": data.draw(NAMES.filter(lambda name: holds(bootstrap, "vm_name", name))),
        "region": data.draw(st.sampled_from(regions(bootstrap))),
        "tag_key": data.draw(TAG_TEXT.filter(lambda text: holds(bootstrap, "tag_key", text))),
        "tag_value": data.draw(TAG_TEXT),
        "bucket_force_destroy": data.draw(st.booleans()),
        "use_existing_bucket_url": data.draw(st.sampled_from(["", "s3://my-bucket"])),
    }
    if profile == "hardened":
        values |= data.draw(OPTIONS)
    needs = compiled(bootstrap, profile, **values)
    for phases in [LIFE_CYCLE, *((phase,) for phase in LIFE_CYCLE)]:
        small(needs, phases)


def small(needs: Needs, phases: Sequence[Phase] = LIFE_CYCLE) -> list[Policy]:
    """Return the policies of a stack: within IAM's sizes, and a linter finds nothing in them."""
    assert needs.gaps == ()
    made = policies(needs.of(phases), "deployer")
    assert 1 <= len(made) <= MOST_POLICIES
    for policy in made:
        assert policy.size <= MANAGED_LIMIT
        assert_sound(policy, needs.place)
    assert not complaints(made)
    return [*made]


@pytest.mark.parametrize("region", ["eu-west-2", "cn-north-1", "us-gov-west-1"])
@pytest.mark.parametrize("path", [ROLES, STATE_BUCKET], ids=["prerequisites", "state-bucket"])
def test_what_comes_before_a_stack(path: Path, region: str) -> None:
    """Nothing in these stacks is unknown, and one policy that a linter likes is enough."""
    roles = ("batch_service_role", "spot_service_role", "ecs_instance_role")
    values: dict[str, JsonValue] = {"region": region, **dict.fromkeys(roles, True)}
    document = Document.model_validate_json(path.read_bytes())
    assert len(small(needs_of(document, values, Place.of(region, ACCOUNT)))) == 1


@pytest.mark.parametrize(("partition", "region"), [("aws", "eu-west-2"), ("aws-cn", "cn-north-1")])
def test_a_service_linked_role(partition: str, region: str) -> None:
    """Its maker makes that service's role and no other's; whoever plans reads it alone."""
    values: dict[str, JsonValue] = {"region": region, "spot_service_role": True}
    document = Document.model_validate_json(ROLES.read_bytes())
    needs = needs_of(document, values, Place.of(region, ACCOUNT))
    path = "aws-service-role/spot.amazonaws.com/AWSServiceRoleFor*"
    role = f"arn:{partition}:iam::{ACCOUNT}:role/{path}"
    service = {"StringEquals": {"iam:AWSServiceName": ("spot.amazonaws.com",)}}
    assert {each.action for each in needs.of([Phase.PLAN])} == {"iam:GetRole"}
    conditions = {each.action: each.condition for each in needs.of([Phase.APPLY])}
    assert conditions["iam:CreateServiceLinkedRole"] == service
    assert {each.resources for each in needs.items} == {(role,)}


def test_the_most_that_there_can_be() -> None:
    """Everything on, and names as long as they get: still no more policies than IAM attaches."""
    longest = {
        "vm_name": LONGEST,
        "region": "us-gov-west-1",
        "tag_key": "k" * 128,
        "tag_value": "v" * 256,
        "iam_name_prefix": "p" * 20,
        "access_log_bucket": "l" * 63,
        "alarm_topic_arn": f"arn:aws:sns:eu-west-2:{ACCOUNT}:{'t' * 200}",
    }
    values = EVERY_OPTION | longest
    needs = compiled("native", "hardened", bucket_force_destroy=True, **values)
    made = policies(needs.items, "n" * 63 + "-deployer")
    assert len(made) <= MOST_POLICIES
    assert all(policy.size <= MANAGED_LIMIT and len(policy.name) <= 128 for policy in made)


@pytest.mark.parametrize(("bootstrap", "profile"), STACKS)
def test_as_few_as_fit(bootstrap: str, profile: str) -> None:
    """At most three of the ten that a role may have, and no two of them fit into one."""
    options = EVERY_OPTION if profile == "hardened" else {}
    needs = compiled(bootstrap, profile, bucket_force_destroy=True, **options)
    made = policies(needs.items, "deployer")
    assert len(made) <= 3
    for one, other in combinations(made, 2):
        both = Policy(name="both", statements=one.statements + other.statements)
        assert both.size > MANAGED_LIMIT
    assert [policy.name for policy in made] == [
        f"deployer-{number}" for number in range(1, len(made) + 1)
    ]
    packed = [statement for policy in made for statement in policy.statements]
    assert sorted(packed, key=str) == sorted(statements(needs.items), key=str)


def test_a_statement_that_no_policy_takes() -> None:
    """One that is longer than a policy may be is an error that names it."""
    with pytest.raises(UsageError, match="6144"):
        policies(compiled("native", vm_name="n" * 6144).items, "deployer")


@pytest.mark.parametrize("bootstrap", ["module", "native"])
def test_an_image_s_owner_may_be_an_alias(bootstrap: str) -> None:
    """AWS compares Canonical's number or the alias of its images: either is allowed, no other."""
    [owners] = {
        need.condition["StringEquals"]["ec2:Owner"]
        for need in compiled(bootstrap).items
        if "ec2:Owner" in need.condition.get("StringEquals", {})
    }
    assert owners == ("099720109477", "amazon")


def test_the_same_needs_give_the_same_bytes() -> None:
    """A policy is stable: two compilations do not differ."""
    once, again = (
        json.dumps([each.as_json() for each in policies(compiled("native").items, "x")])
        for _ in range(2)
    )
    assert once == again


def test_phases_are_parts_of_the_whole() -> None:
    """The policy for everything allows what the phases' policies allow, and no action more."""
    needs = compiled("native")

    def actions(phases: tuple[Phase, ...]) -> set[str]:
        return {
            action
            for policy in policies(needs.of(phases), "x")
            for statement in policy.statements
            for action in statement.actions
        }

    assert actions(LIFE_CYCLE) == set().union(*(actions((phase,)) for phase in LIFE_CYCLE))
    reading = actions((Phase.PLAN,))
    assert all(known(each).access_level in ("List", "Read") for each in reading)


def test_an_existing_bucket_needs_no_bucket_permissions() -> None:
    """What is not made is not in the policy."""
    needs = compiled("native", use_existing_bucket_url="s3://mine")
    assert not [need for need in needs.items if need.action.startswith("s3:")]


def test_emptying_is_asked_for_only_with_force_destroy() -> None:
    """Objects may be deleted only where the stack says so."""
    spared, emptied = (
        {need.action for need in compiled("native", bucket_force_destroy=on).items}
        for on in (False, True)
    )
    emptying = ("DeleteObject", "DeleteObjectVersion", "ListBucketVersions")
    assert emptied - spared == {f"s3:{action}" for action in emptying}


def test_roles_are_passed_to_their_service_only() -> None:
    """Each role is passed by name, under a condition on the service."""
    passing = [need for need in compiled("native").items if need.action == "iam:PassRole"]
    assert {need.resources for need in passing} == {
        (f"arn:aws:iam::{ACCOUNT}:role/dev-vm",),
        (f"arn:aws:iam::{ACCOUNT}:role/ecsInstanceRole",),
    }
    assert all("iam:PassedToService" in need.condition["StringEquals"] for need in passing)


def test_the_size_counts_no_white_space() -> None:
    """IAM's own way of counting."""
    assert size({"a": "b c"}) == len('{"a":"bc"}')


HERE: Final = Place.of("eu-west-2", "123456789012")
KEY: Final = "lab/terraform.tfstate"
KMS: Final = "57ff7a43-341d-46b6-aee3-a450c9de6dc8"
ARN: Final = f"arn:aws:kms:eu-west-2:123456789012:key/{KMS}"

THROUGH_S3: Final = {"kms:ViaService": "s3.eu-west-2.amazonaws.com"}
THROUGH_EC2: Final = {"kms:ViaService": "ec2.eu-west-2.amazonaws.com"}


def may(
    action: str,
    resource: str,
    kms: str | None = None,
    context: Mapping[str, str] = MappingProxyType({}),
) -> bool:
    """Whether the policy allows something."""
    policy = parse_policy(state_policy(HERE, "states", [KEY], kms))
    values = {name: (value,) for name, value in context.items()}
    request = Request(action=action, resource=resource, context=values, complete=True)
    return decide([policy], request).allowed


@pytest.mark.parametrize(
    ("action", "key", "allowed"),
    [
        ("s3:GetObject", KEY, True),
        ("s3:PutObject", KEY, True),
        ("s3:DeleteObject", KEY, False),
        ("s3:GetObjectVersion", KEY, False),
        ("s3:GetObject", f"{KEY}.tflock", True),
        ("s3:PutObject", f"{KEY}.tflock", True),
        ("s3:DeleteObject", f"{KEY}.tflock", True),
        ("s3:GetObject", "other/terraform.tfstate", False),
        ("s3:PutObject", "other/terraform.tfstate.tflock", False),
        ("s3:GetObject", f"{KEY}.backup", False),
    ],
)
def test_objects(action: str, key: str, allowed: bool) -> None:
    """The state is never deleted, the lock is; nothing else in the bucket is touched."""
    assert may(action, f"arn:aws:s3:::states/{key}") is allowed
    assert not may(action, f"arn:aws:s3:::another/{key}")


def test_lists_what_is_its_own() -> None:
    """Not the bucket as a whole, where the names of others' states stand."""
    bucket = "arn:aws:s3:::states"
    assert may("s3:ListBucket", bucket, context={"s3:prefix": KEY})
    assert may("s3:ListBucket", bucket, context={"s3:prefix": f"{KEY}.tflock"})
    for prefix in ("", "lab/", "other/terraform.tfstate"):
        assert not may("s3:ListBucket", bucket, context={"s3:prefix": prefix})
    assert not may("s3:ListBucket", bucket)


def test_a_star_in_a_key_is_no_wildcard() -> None:
    """S3 takes one in a name, and an ARN would read it as every name."""
    text = json.dumps(state_policy(HERE, "states", ["a*"]))
    assert '"arn:aws:s3:::states/a${*}"' in text
    assert '"arn:aws:s3:::states/a${*}.tflock"' in text
    assert "/a*" not in text


@pytest.mark.parametrize("given", [KMS, ARN])
def test_the_key_works_through_s3_only(given: str) -> None:
    """Who holds the policy decrypts no other thing with it, and nothing with another key."""
    for action in ("kms:Decrypt", "kms:GenerateDataKey"):
        assert may(action, ARN, kms=given, context=THROUGH_S3)
        assert not may(action, ARN, kms=given)
        assert not may(action, ARN, kms=given, context=THROUGH_EC2)
        assert not may(action, ARN.replace("57ff", "0000"), kms=given, context=THROUGH_S3)
    assert not may("kms:Encrypt", ARN, kms=given, context=THROUGH_S3)
    assert not may("kms:Decrypt", ARN, context=THROUGH_S3)


@pytest.mark.parametrize("given", ["alias/s", "arn:aws:kms:eu-west-2:123456789012:alias/s"])
def test_a_key_by_its_alias(given: str) -> None:
    """IAM's resource is the key, so the condition has the alias."""
    for alias in ("alias/s", "alias/t"):
        context = THROUGH_S3 | {"kms:ResourceAliases": alias}
        assert may("kms:Decrypt", ARN, kms=given, context=context) is (alias == "alias/s")
    assert not may("kms:Decrypt", ARN, kms=given, context=THROUGH_S3)


def test_every_partition_and_every_name() -> None:
    """ARNs of China's partition, and no action that IAM does not know."""
    place = Place.of("cn-north-1", "123456789012")
    policy = parse_policy(state_policy(place, "states", [KEY], KMS))
    for statement in policy.statements:
        assert all(each.startswith("arn:aws-cn:") for each in statement.resources)
        assert all(iam_reference.action(each) for each in statement.actions)
