"""Tests of `biomodal_deploy.iam.iam_reference`: what the reference is asked for."""

from __future__ import annotations

import pytest

from biomodal_deploy.iam import Place, iam_reference

PLACE = Place(partition="aws-cn", region="cn-north-1", account="123456789012")


def test_actions() -> None:
    """An action is known in any case, with the types that it can be allowed on."""
    action = iam_reference.action("EC2:runinstances")
    assert action
    assert action.name == "RunInstances"
    subnet = action.on("subnet")
    assert subnet
    assert subnet.required
    assert action.on("role") is None


@pytest.mark.parametrize(
    "name", ["s3:ListObjectsV2", "s3:HeadBucket", "nosuch:Thing", "s3", "s3:", ""]
)
def test_what_is_no_action(name: str) -> None:
    """Names of APIs that are no actions are unknown."""
    assert iam_reference.action(name) is None


@pytest.mark.slow
def test_wildcards() -> None:
    """A pattern means the actions that IAM has."""
    assert iam_reference.expanded("ecr:putimage*") == (
        "ecr:PutImage",
        "ecr:PutImageScanningConfiguration",
        "ecr:PutImageTagMutability",
    )
    assert iam_reference.expanded("s3:ListObjectsV2") == ()
    assert iam_reference.expanded("s3:[GP]etObject") == ()
    assert len(iam_reference.expanded("*")) > 10_000


@pytest.mark.parametrize(
    ("kind", "identifier", "arn"),
    [
        ("ec2:key-pair", "dev", "arn:aws-cn:ec2:cn-north-1:123456789012:key-pair/dev"),
        ("ec2:image", "*", "arn:aws-cn:ec2:cn-north-1::image/*"),
        ("s3:bucket", "data", "arn:aws-cn:s3:::data"),
        ("s3:object", "data/*", "arn:aws-cn:s3:::data/*"),
        ("iam:role", "dev", "arn:aws-cn:iam::123456789012:role/dev"),
    ],
)
def test_arns(kind: str, identifier: str, arn: str) -> None:
    """An ARN follows the reference's pattern, in the place's partition."""
    assert iam_reference.arn(kind, identifier, PLACE) == arn


def test_the_type_of_an_arn() -> None:
    """An ARN is recognized by its pattern."""
    role = "arn:aws:iam::123456789012:role/path/dev"
    assert iam_reference.is_of_type(role, "iam:PassRole", "role")
    assert not iam_reference.is_of_type(role, "iam:PassRole", "instance-profile")


def test_condition_keys() -> None:
    """A key is known where AWS fills it in for the action, tags and global keys included."""
    action = iam_reference.action("ec2:TerminateInstances")
    assert action
    assert action.condition_key_known("aws:ResourceTag/Name")
    assert action.condition_key_known("AWS:SourceIp")
    assert not action.condition_key_known("iam:PassedToService")
