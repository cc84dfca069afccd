"""The bucket: a free name, or one that is there to be used."""

from __future__ import annotations

from dataclasses import replace

import pytest

from biomodal_deploy.aws.checks import Verdict
from biomodal_deploy.aws.preflight.target import Target
from tests.support.preflight_cases import Wrong, answer, cases
from tests.support.recorded_aws import NAME, REGION, Recorded, RecordedAws, Refusal

FAIL, WARNING, UNKNOWN = Verdict.FAIL, Verdict.WARNING, Verdict.UNKNOWN


USABLE = f'set use_existing_bucket_url = "s3://{NAME}"'
OTHERS = Refusal("403", "Forbidden", 403)


@pytest.mark.parametrize(
    "wrong",
    cases(
        "bucket",
        "s3.HeadBucket",
        ({"BucketRegion": REGION}, FAIL, f"a bucket {NAME} exists that you may use", USABLE),
        (OTHERS, FAIL, f"a bucket {NAME} exists in some account", "another vm_name"),
    ),
    ids=str,
)
def test_one_thing_wrong(aws: RecordedAws, target: Target, wrong: Wrong) -> None:
    """A name that is taken is found, and comes with what can be done."""
    wrong.assert_found(aws, target)


@pytest.mark.parametrize(
    ("recorded", "verdict", "line"),
    [
        ({"BucketRegion": REGION}, Verdict.PASS, "lab-data is there"),
        ({"BucketRegion": "us-east-1"}, WARNING, "lab-data is in us-east-1, the VM in eu-"),
        (Refusal("404", "", 404), FAIL, "there is no bucket lab-data"),
        (Refusal("403", "", 403), UNKNOWN, "may not s3:ListBucket"),
    ],
)
def test_reach_and_region_of_an_existing_one(
    aws: RecordedAws, target: Target, recorded: Recorded, verdict: Verdict, line: str
) -> None:
    """One to be used has to be there, in the region; what cannot be seen is not passed."""
    target = replace(target, use_existing_bucket_url="s3://lab-data/")
    aws.answers["s3.HeadBucket"] = recorded
    found = answer(aws, target, "bucket")
    assert (found.verdict, line in found.line) == (verdict, True), found


def test_a_bucket_that_the_caller_may_not_look_for(aws: RecordedAws, target: Target) -> None:
    """Without s3:ListBucket every name looks taken; asked as nobody, a free one is free."""
    codes = iter(["403", "404"])
    aws.answers["s3.HeadBucket"] = lambda _: Refusal(next(codes), "", 403)
    assert answer(aws, target, "bucket").verdict is Verdict.PASS
    assert next(codes, None) is None


def test_the_modules_bucket_has_a_name_of_its_own(aws: RecordedAws, target: Target) -> None:
    """AWS completes the name for the module: a bucket of the bare name is no obstacle."""
    target = replace(target, bootstrap="module")
    aws.answers["s3.HeadBucket"] = {"BucketRegion": REGION}
    assert answer(aws, target, "bucket").verdict is Verdict.PASS
    assert "s3.HeadBucket" not in aws.calls


def test_the_stacks_own_is_not_taken(aws: RecordedAws, target: Target) -> None:
    """After an apply its own bucket is no failure; without the state it is."""
    aws.answers["s3.HeadBucket"] = {"BucketRegion": REGION}
    assert answer(aws, target, "bucket", f"aws_s3_bucket:{NAME}").verdict is Verdict.PASS
    assert answer(aws, target, "bucket").verdict is FAIL
