"""What a state gets when it is written: never what the backend did not ask for, unsaid."""

from __future__ import annotations

from typing import Any, Final

import pytest

from biomodal_deploy.aws.checks import CheckData, Verdict
from biomodal_deploy.aws.state_writes import StateWrite
from tests.support.recorded_aws import RecordedAws, default_encryption
from tests.support.recorded_bucket import TLS, bucket_checker, policy, state_bucket

KEY: Final = "arn:aws:kms:eu-west-2:123456789012:key/11111111-2222-3333-4444-555555555555"
OTHER: Final = KEY.replace("1111-2222", "1111-3333")
PLAIN: Final = StateWrite()
WITH_KEY: Final = StateWrite(kms_key_id=KEY)
AES256: Final = StateWrite(aes256=True)
_HEADER: Final = "s3:x-amz-server-side-encryption"
_PUT: Final[dict[str, Any]] = {
    "Sid": "Encrypted",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:PutObject",
    "Resource": "arn:aws:s3:::lab/*",
}
DEMANDS_KMS: Final = {**_PUT, "Condition": {"StringNotEquals": {_HEADER: "aws:kms"}}}
# A write that names no encryption gets the bucket's default: only another one is refused.
NO_OTHER: Final = {
    **_PUT,
    "Condition": {"StringNotEquals": {_HEADER: "aws:kms"}, "Null": {_HEADER: "false"}},
}
NOT_NULL: Final = {**_PUT, "Condition": {"Null": {_HEADER: "true"}}}
ONE_KEY: Final = {**_PUT, "Condition": {"StringNotEquals": {f"{_HEADER}-aws-kms-key-id": OTHER}}}


DEFAULT_KEY: Final = default_encryption("aws:kms", KEY)


def written(aws: RecordedAws, write: StateWrite) -> CheckData:
    """Return what was found of a write."""
    found = bucket_checker(aws, write).check().checks
    return next(each for each in found if each.check == "written")


@pytest.mark.parametrize(
    ("write", "by_default", "verdict", "part"),
    [
        (PLAIN, default_encryption("AES256"), Verdict.PASS, "the default: AES256"),
        (PLAIN, default_encryption("aws:kms"), Verdict.PASS, "the default: aws:kms"),
        (PLAIN, default_encryption("aws:kms", "alias/aws/s3"), Verdict.PASS, "alias/aws/s3"),
        (PLAIN, DEFAULT_KEY, Verdict.WARNING, KEY),
        (WITH_KEY, default_encryption("AES256"), Verdict.PASS, f"aws:kms with {KEY}"),
        (WITH_KEY, default_encryption("aws:kms", OTHER), Verdict.PASS, f"aws:kms with {KEY}"),
        (AES256, default_encryption("AES256"), Verdict.PASS, "AES256"),
        (
            AES256,
            default_encryption("aws:kms", KEY),
            Verdict.FAIL,
            "gets AES256, and not the bucket's",
        ),
        (AES256, default_encryption("aws:kms:dsse", KEY), Verdict.FAIL, "aws:kms:dsse"),
    ],
)
def test_the_encryption(write: StateWrite, by_default: Any, verdict: Verdict, part: str) -> None:
    """The bucket's default where the write names nothing, and AES256 past it is no fit."""
    aws = state_bucket()
    aws.answers["s3.GetBucketEncryption"] = by_default
    found = written(aws, write)
    assert (found.verdict, part in found.line) == (verdict, True), found.line
    assert (found.fix is None) is found.passed


@pytest.mark.parametrize(
    ("statement", "refused"),
    [
        (DEMANDS_KMS, {PLAIN, AES256}),
        (NO_OTHER, {AES256}),
        (NOT_NULL, {PLAIN}),
        (ONE_KEY, {PLAIN, WITH_KEY, AES256}),
    ],
)
def test_a_policy_that_refuses_it(statement: Any, refused: set[StateWrite]) -> None:
    """S3 would answer 403 in the middle of an apply, with the state unwritten."""
    aws = state_bucket()
    aws.answers["s3.GetBucketEncryption"] = DEFAULT_KEY
    aws.answers["s3.GetBucketPolicy"] = policy(TLS, statement)
    for write in (PLAIN, WITH_KEY, AES256):
        found = written(aws, write)
        assert ("(Encrypted)" in found.line) is (write in refused), (write, found.line)
        assert found.verdict is Verdict.FAIL or write not in refused
