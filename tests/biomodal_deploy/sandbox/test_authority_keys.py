"""What is asked of KMS where S3 uses a key for the caller."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from biomodal_deploy.iam import Place
from tests.support.authority.account import Account
from tests.support.authority.call import ApiCall
from tests.support.authority.requests import requests_of
from tests.support.moto import ACCOUNT, REGION, account

HEADER: Final = "x-amz-server-side-encryption"


@pytest.fixture(scope="module")
def aws() -> Iterator[Callable[[str], Any]]:
    """One account for all: nothing here changes it."""
    with account() as client:
        yield client


@pytest.fixture(scope="module")
def key(aws: Callable[[str], Any]) -> str:
    """The ARN of a key that the bucket `keyed` encrypts with by default."""
    arn = str(aws("kms").create_key()["KeyMetadata"]["Arn"])
    aws("kms").create_alias(AliasName="alias/lab", TargetKeyId=arn)
    for name, default in (
        ("keyed", {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}),
        ("plain", {"SSEAlgorithm": "AES256"}),
        ("managed", {"SSEAlgorithm": "aws:kms"}),
    ):
        aws("s3").create_bucket(Bucket=name)
        aws("s3").put_bucket_encryption(
            Bucket=name,
            ServerSideEncryptionConfiguration={
                "Rules": [{"ApplyServerSideEncryptionByDefault": default}]
            },
        )
        aws("s3").put_object(Bucket=name, Key="there", Body=b"x")
    return arn


@pytest.mark.parametrize(
    ("operation", "bucket", "headers", "asked"),
    [
        ("PutObject", "keyed", {}, {"kms:GenerateDataKey"}),
        ("PutObject", "keyed", {HEADER: "AES256"}, set()),
        ("PutObject", "plain", {}, set()),
        ("PutObject", "managed", {}, set()),
        (
            "PutObject",
            "plain",
            {HEADER: "aws:kms", f"{HEADER}-aws-kms-key-id": "alias/lab"},
            {"kms:GenerateDataKey"},
        ),
        ("CreateMultipartUpload", "keyed", {}, {"kms:GenerateDataKey", "kms:Decrypt"}),
        ("GetObject", "keyed", {}, {"kms:Decrypt"}),
        ("GetObject", "plain", {}, set()),
        ("HeadObject", "keyed", {}, set()),
        ("DeleteObject", "keyed", {}, set()),
    ],
)
def test_objects(
    key: str, operation: str, bucket: str, headers: dict[str, str], asked: set[str]
) -> None:
    """The key of the object or of the bucket, by its ARN, through S3; nothing without a key."""
    call = ApiCall(
        key_id="KEY",
        region=REGION,
        service="s3",
        operation=operation,
        parameters={"Bucket": bucket, "Key": "there", **headers},
        invocation="",
    )
    found = [
        each
        for each in requests_of(call, Account(Place.of(REGION, ACCOUNT)))
        if each.action.startswith("kms:")
    ]
    assert {each.action for each in found} == asked
    for each in found:
        assert each.resource == key
        assert each.context["kms:ViaService"] == (f"s3.{REGION}.amazonaws.com",)
        assert each.context["kms:ResourceAliases"] == ("alias/lab",)
