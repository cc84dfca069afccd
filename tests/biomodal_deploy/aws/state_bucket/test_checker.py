"""A bucket for states, as AWS tells of it: taken, foreign, elsewhere, or all that it should be."""

from __future__ import annotations

from typing import Any, Final

import pytest

from biomodal_deploy.aws.checks import Verdict
from biomodal_deploy.aws.state_bucket.checker import is_fit
from biomodal_deploy.errors import EngineError, UsageError
from tests.support.recorded_aws import REGION, RecordedAws, Refusal
from tests.support.recorded_bucket import bucket_checker, state_bucket, verdicts

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
