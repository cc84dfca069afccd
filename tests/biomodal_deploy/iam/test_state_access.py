"""The least policy for a state: what it allows, and above all what it does not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

import pytest

from biomodal_deploy.iam import facts
from biomodal_deploy.iam.evaluate import Request, decide
from biomodal_deploy.iam.language import parse_policy
from biomodal_deploy.iam.place import Place
from biomodal_deploy.iam.state_access import state_policy

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
    context: Mapping[str, str] | None = None,
) -> bool:
    """Whether the policy allows something."""
    policy = parse_policy(state_policy(HERE, "states", [KEY], kms))
    values = {name: (value,) for name, value in (context or {}).items()}
    return decide(
        [policy], Request(action=action, resource=resource, context=values, complete=True)
    ).allowed


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
        assert not may(
            action, ARN, kms=given, context={"kms:ViaService": "ec2.eu-west-2.amazonaws.com"}
        )
        assert not may(action, ARN.replace("57ff", "0000"), kms=given, context=THROUGH_S3)
    assert not may("kms:Encrypt", ARN, kms=given, context=THROUGH_S3)
    assert not may("kms:Decrypt", ARN, context=THROUGH_S3)


def _of(alias: str) -> dict[str, str]:
    return THROUGH_S3 | {"kms:ResourceAliases": alias}


@pytest.mark.parametrize("given", ["alias/s", "arn:aws:kms:eu-west-2:123456789012:alias/s"])
def test_a_key_by_its_alias(given: str) -> None:
    """IAM's resource is the key, so the condition has the alias."""
    assert may(
        "kms:Decrypt", ARN, kms=given, context=THROUGH_S3 | {"kms:ResourceAliases": "alias/s"}
    )
    assert not may(
        "kms:Decrypt", ARN, kms=given, context=THROUGH_S3 | {"kms:ResourceAliases": "alias/t"}
    )
    assert not may("kms:Decrypt", ARN, kms=given, context=THROUGH_S3)


def test_every_partition_and_every_name() -> None:
    """ARNs of China's partition, and no action that IAM does not know."""
    place = Place.of("cn-north-1", "123456789012")
    policy = parse_policy(state_policy(place, "states", [KEY], KMS))
    for statement in policy.statements:
        assert all(each.startswith("arn:aws-cn:") for each in statement.resources)
        assert all(facts.action(each) for each in statement.actions)
