"""Tests of `biomodal_deploy.iam`."""

from __future__ import annotations

import pytest

from biomodal_deploy.errors import UsageError
from biomodal_deploy.iam import Place

ACCOUNT = "123456789012"


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-2", "aws"),
        ("cn-northwest-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("eu-west-99", "aws"),
    ],
)
def test_partitions(region: str, partition: str) -> None:
    """The partition follows from the region, also of one that opens next year."""
    assert Place.of(region, ACCOUNT).partition == partition


def test_principals() -> None:
    """A service has its second name in China and nowhere else."""
    assert Place.of("eu-west-2", ACCOUNT).principals("ec2") == ("ec2.amazonaws.com",)
    chinese = Place.of("cn-north-1", ACCOUNT).principals("ec2")
    assert chinese == ("ec2.amazonaws.com", "ec2.amazonaws.com.cn")


@pytest.mark.parametrize(
    ("region", "account", "field"),
    [("nowhere", ACCOUNT, "region"), ("eu-west-2", "12", "account"), ("", ACCOUNT, "region")],
)
def test_what_is_no_place(region: str, account: str, field: str) -> None:
    """A region of no partition and an account that is none are usage errors."""
    with pytest.raises(UsageError) as error:
        Place.of(region, account)
    assert error.value.field == field
