"""How much a guard says that goes with a bucket or repository."""

from __future__ import annotations

import os

import pytest

from biomodal_deploy.workflow.contents import count_contents
from tests.support.operated import NAME, REGION
from tests.support.plans import plan, resource
from tests.support.recorded_aws import Recorded, RecordedAws, Refusal

BUCKET, IMAGES = "aws_s3_bucket.b", "aws_ecr_repository.r"
GONE = plan(
    resource(BUCKET, "delete", {"bucket": NAME, "force_destroy": True}),
    resource(IMAGES, "delete", {"name": NAME, "force_delete": True}),
)
VERSION = {"Key": "a", "VersionId": "1", "Size": 1, "IsLatest": True}


def counted(monkeypatch: pytest.MonkeyPatch, **answers: Recorded) -> dict[str, int | str]:
    """Count in an account with these answers."""
    given = {name.replace("__", "."): answer for name, answer in answers.items()}
    session = RecordedAws({"s3.ListMultipartUploads": {}, **given}).session()
    monkeypatch.setattr("biomodal_deploy.aws.session.open_session", lambda _: session)
    return count_contents(GONE, REGION, os.environ)


def test_to_the_end_and_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number where it is one; else the text says that there may be more."""
    denied = Refusal("AccessDenied", status=403)
    found = counted(
        monkeypatch,
        s3__ListObjectVersions=denied,
        s3__ListObjectsV2={"Contents": [{"Key": "a", "Size": 1}], "IsTruncated": False},
        ecr__DescribeImages={"imageDetails": [{}, {}]},
    )
    assert found == {BUCKET: "at least 1", IMAGES: 2}
    found = counted(
        monkeypatch,
        s3__ListObjectVersions={"Versions": [VERSION, VERSION], "IsTruncated": False},
        ecr__DescribeImages=denied,
    )
    assert found == {BUCKET: 2}


def test_where_nobody_can_be_asked() -> None:
    """No region, or another environment: the guard says that the number is unknown."""
    assert count_contents(GONE, None, os.environ) == {}
    assert count_contents(GONE, REGION, {"AWS_PROFILE": "theirs"}) == {}
