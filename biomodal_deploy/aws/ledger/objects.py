"""What is in an S3 bucket: objects, former versions, delete markers and unfinished uploads."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, Field

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.errors import Kind, classify_error
from biomodal_deploy.aws.ledger.counting import Patience
from biomodal_deploy.aws.ledger.model import Amount
from biomodal_deploy.text import counted, sized

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

# 200 answers of S3's: some twenty seconds.
MOST: Final = 200_000


@dataclass
class Contents:
    """What was counted in a bucket.

    Attributes:
        old_versions: What was overwritten or deleted, and is kept: it bills as any object does.
        markers: Delete markers: they hold nothing, and still keep a bucket from being deleted.
        bytes: Of objects and old versions.
        uploads: Unfinished multipart uploads; their parts bill, and no listing shows them. None
            where they could not be read.
        estimate: What CloudWatch says of a bucket that was not counted to the end.
    """

    objects: int = 0
    old_versions: int = 0
    markers: int = 0
    bytes: int = 0
    uploads: int | None = 0
    more_uploads: bool = False
    complete: bool = True
    sees_versions: bool = True
    estimate: str = ""
    unread: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether S3 would delete the bucket, as far as anybody could see."""
        return self.complete and not (self.objects or self.old_versions or self.markers)

    @property
    def has_versions(self) -> bool:
        """Whether there is, or may be, what `aws s3` does not see."""
        return bool(self.old_versions or self.markers) or not self.sees_versions

    @property
    def total(self) -> int:
        """How many entries were counted."""
        return self.objects + self.old_versions + self.markers

    def amounts(self) -> tuple[Amount, ...]:
        """Return it in numbers; what could not be read is left out."""
        more = not self.complete
        found = [Amount(what="objects", count=self.objects, more=more)]
        if self.sees_versions:
            found.append(Amount(what="old versions", count=self.old_versions, more=more))
            found.append(Amount(what="delete markers", count=self.markers, more=more))
        found.append(Amount(what="bytes", count=self.bytes, more=more))
        if self.uploads is not None:
            found.append(
                Amount(what="unfinished uploads", count=self.uploads, more=self.more_uploads)
            )
        return tuple(found)

    def words(self) -> str:
        """Return it for people: `1,204 objects, 3 old versions, 41.2 GiB`."""
        shown = [each for each in self.amounts() if each.count or each.what in _ALWAYS]
        text = ", ".join(each.words() for each in shown)
        if not self.complete and self.estimate:
            text = f"{text} ({self.estimate})"
        return "; ".join((text, *self.unread))


_ALWAYS: Final = ("objects", "bytes")


def count_bucket(clients: Clients, name: str, patience: Patience, *, most: int = MOST) -> Contents:
    """Count what a bucket holds, for a while."""
    s3 = clients.s3()
    try:
        contents = _versions(s3, name, patience, most)
    except ClientError as error:
        if classify_error(error, clients).kind is not Kind.DENIED:
            raise
        # Objects are worth knowing without their former versions, for which S3 wants another
        # permission.
        contents = _objects(s3, name, patience, most)
        contents.sees_versions = False
        contents.unread.append("old versions: unknown (s3:ListBucketVersions)")
    _uploads(s3, name, contents)
    if not contents.complete:
        contents.estimate = _estimate(clients, name)
    return contents


def _versions(s3: S3Client, name: str, patience: Patience, most: int) -> Contents:
    contents = Contents()
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        for version in page.get("Versions", ()):
            contents.bytes += version.get("Size", 0)
            if version.get("IsLatest", True):
                contents.objects += 1
            else:
                contents.old_versions += 1
        contents.markers += len(page.get("DeleteMarkers", ()))
        if page.get("IsTruncated") and _enough(contents, name, patience, most):
            contents.complete = False
            break
    return contents


def _objects(s3: S3Client, name: str, patience: Patience, most: int) -> Contents:
    contents = Contents()
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
        for found in page.get("Contents", ()):
            contents.objects += 1
            contents.bytes += found.get("Size", 0)
        if page.get("IsTruncated") and _enough(contents, name, patience, most):
            contents.complete = False
            break
    return contents


def _enough(contents: Contents, name: str, patience: Patience, most: int) -> bool:
    patience.say(f"Counting s3://{name}: {contents.total:,} so far")
    return patience.over or contents.total >= most


def _uploads(s3: S3Client, name: str, contents: Contents) -> None:
    try:
        said = s3.list_multipart_uploads(Bucket=name)
    except (BotoCoreError, ClientError):
        contents.uploads = None
        contents.unread.append("unfinished uploads: unknown (s3:ListBucketMultipartUploads)")
        return
    contents.uploads = len(said.get("Uploads", ()))
    contents.more_uploads = bool(said.get("IsTruncated"))


class _Dimension(BaseModel):
    name: str = Field(alias="Name")
    value: str = Field(alias="Value")


class _Metric(BaseModel):
    name: str = Field(alias="MetricName")
    dimensions: tuple[_Dimension, ...] = Field(default=(), alias="Dimensions")


class _Metrics(BaseModel):
    metrics: tuple[_Metric, ...] = Field(default=(), alias="Metrics")


class _Point(BaseModel):
    at: datetime = Field(alias="Timestamp")
    average: float = Field(default=0.0, alias="Average")


class _Points(BaseModel):
    points: tuple[_Point, ...] = Field(default=(), alias="Datapoints")


def _estimate(clients: Clients, name: str) -> str:
    """Return what CloudWatch says of the bucket's size: S3 tells it once a day, for nothing."""
    try:
        cloudwatch = clients.cloudwatch()
        said = cloudwatch.list_metrics(
            Namespace="AWS/S3", Dimensions=[{"Name": "BucketName", "Value": name}]
        )
        totals: dict[str, float] = {}
        last: datetime | None = None
        now = datetime.now(UTC)
        for metric in _Metrics.model_validate(said).metrics:
            answer = cloudwatch.get_metric_statistics(
                Namespace="AWS/S3",
                MetricName=metric.name,
                Dimensions=[{"Name": each.name, "Value": each.value} for each in metric.dimensions],
                StartTime=now - timedelta(days=3),
                EndTime=now,
                Period=86_400,
                Statistics=["Average"],
            )
            points = sorted(_Points.model_validate(answer).points, key=lambda each: each.at)
            if points:
                # Each storage class has a metric of its own.
                totals[metric.name] = totals.get(metric.name, 0.0) + points[-1].average
                last = max(last or points[-1].at, points[-1].at)
    except (BotoCoreError, ClientError, ValueError):
        return ""
    size, number = totals.get("BucketSizeBytes"), totals.get("NumberOfObjects")
    if last is None or size is None or number is None:
        return ""
    return f"CloudWatch on {last:%Y-%m-%d}: {counted(int(number), 'object')}, {sized(size)}"
