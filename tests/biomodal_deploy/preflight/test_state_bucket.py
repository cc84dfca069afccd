"""A bucket for states, as AWS tells of it: taken, foreign, elsewhere, or lacking something."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from biomodal_deploy.errors import EngineError, UsageError
from biomodal_deploy.preflight import Verdict
from biomodal_deploy.preflight.clients import Clients
from biomodal_deploy.preflight.state_bucket import StateBucketLooker, is_fit
from tests.support.recorded_aws import ACCOUNT, REGION, RecordedAws, Refusal

GONE: Final = Refusal("404", "Not Found", 404)
CLOSED: Final = Refusal("403", "Forbidden", 403)
TLS: Final[dict[str, Any]] = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": ["arn:aws:s3:::lab", "arn:aws:s3:::lab/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def lacking(code: str) -> Refusal:
    """Return S3's answer to a question about a setting that was never made."""
    return Refusal(code, "there is none", 404)


def policy(*statements: object) -> dict[str, str]:
    """Return a bucket's policy as S3 does."""
    return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": statements})}


@pytest.fixture
def aws() -> RecordedAws:
    """A bucket as `backend create` makes it."""
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/state"}
    rule = {"ApplyServerSideEncryptionByDefault": default}
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    ends = {
        "Status": "Enabled",
        "Prefix": "",
        "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
    }
    return RecordedAws(
        {
            "s3.HeadBucket": {"BucketRegion": REGION},
            "s3.GetBucketVersioning": {"Status": "Enabled"},
            "s3.GetBucketEncryption": {"ServerSideEncryptionConfiguration": {"Rules": [rule]}},
            "s3.GetPublicAccessBlock": {
                "PublicAccessBlockConfiguration": dict.fromkeys(names, True)
            },
            "s3.GetBucketPolicy": policy(TLS),
            "s3.GetBucketOwnershipControls": {
                "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
            },
            "s3.GetBucketLifecycleConfiguration": {"Rules": [ends]},
        }
    )


def looker(aws: RecordedAws) -> StateBucketLooker:
    """Return what asks."""
    return StateBucketLooker(Clients(aws.session(), REGION), "lab", ACCOUNT)


def verdicts(aws: RecordedAws) -> dict[str, Verdict]:
    """Return what was found that is no pass."""
    found = looker(aws).look()
    assert is_fit(found) is all(
        each.answer.verdict in (Verdict.PASS, Verdict.WARNING) for each in found
    )
    return {
        each.check: each.answer.verdict for each in found if each.answer.verdict is not Verdict.PASS
    }


def test_one_that_lacks_nothing(aws: RecordedAws) -> None:
    """Every check passes, and each says what it found."""
    found = looker(aws).look()
    assert is_fit(found)
    assert len(found) == 7
    lines = {each.check: each.answer.line for each in found}
    assert lines["encryption"] == "aws:kms with alias/state"
    assert lines["former-versions"] == "kept for 90 days"
    assert all(each.as_data()["verdict"] == "pass" for each in found)


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
        looker(aws).require_free()
    for part in parts:
        assert part in str(refused.value)


def test_a_name_that_is_free(aws: RecordedAws) -> None:
    """Also for a caller who may not list buckets, to whom S3 says 403."""
    aws.answers["s3.HeadBucket"] = GONE
    looker(aws).require_free()
    with pytest.raises(UsageError, match=r"There is no such bucket.*backend create"):
        looker(aws).look()
    said = iter([CLOSED, GONE])
    aws.answers["s3.HeadBucket"] = lambda _: next(said)
    looker(aws).require_free()


def test_somebody_elses_is_not_looked_at(aws: RecordedAws) -> None:
    """Whoever can read a bucket of another account would take its settings for their own."""

    def owned(asked: Any) -> Any:
        return CLOSED if asked.get("ExpectedBucketOwner", "x") != "x" else {}

    aws.answers["s3.HeadBucket"] = owned
    with pytest.raises(UsageError, match="another account's, or closed to you"):
        looker(aws).look()


def test_aws_does_not_say(aws: RecordedAws) -> None:
    """Neither free nor taken: nothing is planned on a guess."""
    aws.answers["s3.HeadBucket"] = Refusal("ExpiredToken", "expired", 400)
    with pytest.raises(EngineError, match=r"whether there is a bucket lab: .*expired"):
        looker(aws).require_free()


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
    assert all(each.answer.fix for each in looker(aws).look() if each.check == check)


def test_versions_that_never_go(aws: RecordedAws) -> None:
    """It costs, and protects all the same: a warning."""
    aws.answers["s3.GetBucketLifecycleConfiguration"] = lacking("NoSuchLifecycleConfiguration")
    assert verdicts(aws) == {"former-versions": Verdict.WARNING}


def test_what_may_not_be_asked(aws: RecordedAws) -> None:
    """No answer is no pass."""
    aws.answers["s3.GetBucketPolicy"] = Refusal("AccessDenied", "no", 403)
    assert verdicts(aws) == {"tls": Verdict.CANNOT_TELL}


def test_a_bucket_elsewhere(aws: RecordedAws) -> None:
    """Terraform would not find it where the backend says."""
    aws.answers["s3.HeadBucket"] = {"BucketRegion": "us-east-1"}
    assert verdicts(aws) == {"region": Verdict.FAIL}
