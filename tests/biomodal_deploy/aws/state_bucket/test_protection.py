"""What protects a bucket for states: one thing that is missing fails one check, with its remedy."""

from __future__ import annotations

from typing import Any

import pytest

from biomodal_deploy.aws.checks import Verdict
from tests.support.recorded_aws import ACCOUNT, RecordedAws, Refusal
from tests.support.recorded_bucket import TLS, bucket_checker, policy, state_bucket, verdicts


def lacking(code: str) -> Refusal:
    """Return S3's answer to a question about a setting that was never made."""
    return Refusal(code, "there is none", 404)


@pytest.fixture
def aws() -> RecordedAws:
    """A bucket as `backend create` makes it."""
    return state_bucket()


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
