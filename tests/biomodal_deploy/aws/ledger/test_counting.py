"""Counting what is in a bucket: to the end, or honestly not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import jmespath  # type: ignore[import-untyped]

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.commands import ALL_VERSIONS
from biomodal_deploy.aws.ledger.counting import Patience, count_bucket
from tests.support.recorded_aws import Given, Parameters, Recorded, Refusal

Answering = Callable[[dict[str, Recorded]], Clients]


def endless(asked: Parameters) -> Given:
    """Return a thousand objects, and say that there are more."""
    first = int(asked.get("KeyMarker", "0"))
    versions = [
        {"Key": str(first + each), "VersionId": "1", "Size": 10, "IsLatest": True}
        for each in range(1000)
    ]
    return {"Versions": versions, "IsTruncated": True, "NextKeyMarker": str(first + 1000)}


def metric(name: str, storage: str) -> Given:
    """Return one of a bucket's metrics."""
    of = [{"Name": "BucketName", "Value": "huge"}, {"Name": "StorageType", "Value": storage}]
    return {"MetricName": name, "Namespace": "AWS/S3", "Dimensions": of}


def daily(asked: Parameters) -> Given:
    """Return what each metric said yesterday."""
    value = 5e6 if asked["MetricName"] == "NumberOfObjects" else 2**40
    point = {"Timestamp": datetime(2026, 11, 27, tzinfo=UTC), "Average": value}
    return {"Datapoints": [point]}


def huge() -> dict[str, Recorded]:
    """Return the answers of a bucket that nobody wants to count."""
    return {
        "s3.ListObjectVersions": endless,
        "s3.ListMultipartUploads": {"Uploads": [{}] * 3, "IsTruncated": True},
        "cloudwatch.ListMetrics": {
            "Metrics": [
                metric("NumberOfObjects", "AllStorageTypes"),
                metric("BucketSizeBytes", "StandardStorage"),
                metric("BucketSizeBytes", "GlacierStorage"),
            ]
        },
        "cloudwatch.GetMetricStatistics": daily,
    }


def test_counting_has_an_end(answering: Answering) -> None:
    """More than that, says the line, and what CloudWatch says of the whole of it."""
    told: list[str] = []
    contents = count_bucket(answering(huge()), "huge", Patience(60, told.append), most=3000)
    assert (contents.objects, contents.complete, contents.is_empty) == (3000, False, False)
    assert contents.words() == (
        "more than 3,000 objects, more than 29.3 KiB, more than 3 unfinished uploads "
        "(CloudWatch on 2026-11-27: 5,000,000 objects, 2.0 TiB)"
    )
    assert all(each.more for each in contents.amounts())


def test_patience_has_an_end(answering: Answering) -> None:
    """The time ends it too, after one answer at least, and CloudWatch need not help."""
    answers = huge() | {"cloudwatch.ListMetrics": Refusal("AccessDenied", status=403)}
    contents = count_bucket(answering(answers), "huge", Patience(0, lambda _: None))
    assert (contents.objects, contents.complete, contents.estimate) == (1000, False, "")


def test_progress_is_told_now_and_then() -> None:
    """Not before two seconds are over, and never once nobody listens any more."""
    told: list[str] = []
    patience = Patience(60, told.append)
    patience.say("at once")
    patience._told -= 3
    patience.say("later")
    patience._told -= 3
    patience.close()
    patience.say("too late")
    assert (told, patience.over) == (["later"], True)


def test_the_command_that_empties_a_bucket_names_everything() -> None:
    """Former versions and delete markers; where there are none of these too."""
    version, marker = {"Key": "a", "VersionId": "1", "Size": 3}, {"Key": "b", "VersionId": "2"}
    found = jmespath.search(ALL_VERSIONS, {"Versions": [version], "DeleteMarkers": [marker]})
    assert found == {"Objects": [{"Key": "a", "VersionId": "1"}, marker]}
    only = jmespath.search(ALL_VERSIONS, {"Versions": None, "DeleteMarkers": [marker]})
    assert only == {"Objects": [marker]}
