"""A bucket for states, as AWS tells of it: taken, foreign, elsewhere, or all that it should be."""

from __future__ import annotations

from typing import Any, Final

import pytest

from biomodal_deploy.aws.checks import Verdict
from biomodal_deploy.aws.state_bucket import is_fit
from biomodal_deploy.errors import EngineError, UsageError
from tests.support.recorded_aws import ACCOUNT, REGION, RecordedAws, Refusal
from tests.support.recorded_bucket import TLS, bucket_checker, policy, state_bucket, verdicts

GONE: Final = Refusal("404", "Not Found", 404)
CLOSED: Final = Refusal("403", "Forbidden", 403)


@pytest.fixture
def aws() -> RecordedAws:
    """A bucket as `backend create` makes it."""
    return state_bucket()


def test_one_that_lacks_nothing(aws: RecordedAws) -> None:
    """Every check passes, and each says what it found."""
    found = bucket_checker(aws).check()
    assert is_fit(found)
    assert len(found.checks) == 8
    lines = {each.check: each.line for each in found.checks}
    assert lines["encryption"] == "aws:kms with alias/state"
    assert lines["written"] == "a state gets aws:kms with alias/state"
    assert lines["former-versions"] == "kept for 90 days"
    assert all(each.passed for each in found.checks)


@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        ({"BucketRegion": REGION}, ["This account has it already", "backend check --bucket lab"]),
        ({"BucketRegion": "us-east-1"}, ["in us-east-1 and not in eu-west-2", "choose another"]),
        (CLOSED, ["exists in another account, or is closed to you", "choose another name"]),
    ],
)
def test_a_name_that_is_taken(aws: RecordedAws, answer: Any, parts: list[str]) -> None:
    """By us, by us elsewhere, by somebody else: each says what to do."""
    aws.answers["s3.HeadBucket"] = answer
    with pytest.raises(UsageError) as refused:
        bucket_checker(aws).require_free()
    for part in parts:
        assert part in str(refused.value)


def test_a_name_that_is_free(aws: RecordedAws) -> None:
    """Also for a caller who may not list buckets, to whom S3 says 403."""
    aws.answers["s3.HeadBucket"] = GONE
    bucket_checker(aws).require_free()
    with pytest.raises(UsageError, match=r"no such bucket.*backend create"):
        bucket_checker(aws).check()
    said = iter([CLOSED, GONE])
    aws.answers["s3.HeadBucket"] = lambda _: next(said)
    bucket_checker(aws).require_free()


def test_somebody_elses_is_not_looked_at(aws: RecordedAws) -> None:
    """Whoever can read a bucket of another account would take its settings for their own."""

    def owned(asked: Any) -> Any:
        return CLOSED if asked.get("ExpectedBucketOwner", "x") != "x" else {}

    aws.answers["s3.HeadBucket"] = owned
    with pytest.raises(UsageError, match="another account, or closed to you"):
        bucket_checker(aws).check()


def test_aws_does_not_say(aws: RecordedAws) -> None:
    """Neither free nor taken: nothing is planned on a guess."""
    aws.answers["s3.HeadBucket"] = Refusal("ExpiredToken", "expired", 400)
    with pytest.raises(EngineError, match=r"whether there is a bucket lab: .*expired"):
        bucket_checker(aws).require_free()


def test_a_bucket_elsewhere(aws: RecordedAws) -> None:
    """Terraform would not find it where the backend says."""
    aws.answers["s3.HeadBucket"] = {"BucketRegion": "us-east-1"}
    assert verdicts(aws) == {"region": Verdict.FAIL}


def lacking(code: str) -> Refusal:
    """Return S3's answer to a question about a setting that was never made."""
    return Refusal(code, "there is none", 404)


@pytest.mark.parametrize(
    ("operation", "answer", "check"),
    [
        ("GetBucketVersioning", {}, "versioning"),
        ("GetBucketVersioning", {"Status": "Suspended"}, "versioning"),
        (
            "GetBucketEncryption",
            lacking("ServerSideEncryptionConfigurationNotFoundError"),
            "encryption",
        ),
        ("GetPublicAccessBlock", lacking("NoSuchPublicAccessBlockConfiguration"), "public-access"),
        (
            "GetPublicAccessBlock",
            {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}},
            "public-access",
        ),
        ("GetBucketPolicy", lacking("NoSuchBucketPolicy"), "tls"),
        ("GetBucketPolicy", policy({**TLS, "Resource": "arn:aws:s3:::lab/*"}), "tls"),
        ("GetBucketPolicy", policy({**TLS, "Action": "s3:GetObject"}), "tls"),
        ("GetBucketPolicy", policy({**TLS, "Principal": {"AWS": f"{ACCOUNT}"}}), "tls"),
        ("GetBucketPolicy", policy({**TLS, "Effect": "Allow"}), "tls"),
        ("GetBucketOwnershipControls", lacking("OwnershipControlsNotFoundError"), "ownership"),
        (
            "GetBucketOwnershipControls",
            {"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}},
            "ownership",
        ),
    ],
)
def test_what_is_missing(aws: RecordedAws, operation: str, answer: Any, check: str) -> None:
    """One thing that is not there fails one check, and has a remedy."""
    aws.answers[f"s3.{operation}"] = answer
    assert verdicts(aws) == {check: Verdict.FAIL}
    assert all(each.fix for each in bucket_checker(aws).check().checks if each.check == check)


def test_versions_that_never_go(aws: RecordedAws) -> None:
    """It costs, and protects all the same: a warning."""
    aws.answers["s3.GetBucketLifecycleConfiguration"] = lacking("NoSuchLifecycleConfiguration")
    assert verdicts(aws) == {"former-versions": Verdict.WARNING}


def test_what_may_not_be_asked(aws: RecordedAws) -> None:
    """No answer is no pass."""
    aws.answers["s3.GetBucketPolicy"] = Refusal("AccessDenied", "no", 403)
    assert verdicts(aws) == {"tls": Verdict.UNKNOWN, "written": Verdict.UNKNOWN}
