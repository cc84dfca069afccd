"""How much a bucket, a repository, a queue or a log group holds, counted for a limited time.

A bucket may hold a billion objects, and S3 lists a thousand at a time: counting has an end, and
what was not counted to the end says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.errors import Kind, classify_error, code_of
from biomodal_deploy.aws.ledger import Amount
from biomodal_deploy.text import counted, sized

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


# How long the account is asked, of a stack or of what is left of it.
SECONDS: Final = 25.0
# Counting ends before anybody stops waiting for it: a part of a count is worth telling.
COUNTING_S: Final = 15.0
PAUSE_S: Final = 2.0


class Patience:
    """How long counting may go on, shared by all that count at the same time.

    Args:
        on_progress: Receives how far counting has come, at most every two seconds.
    """

    def __init__(self, seconds: float, on_progress: Callable[[str], None]) -> None:
        self._until = time.monotonic() + seconds
        self._on_progress, self._lock = on_progress, Lock()
        self._told = time.monotonic()
        self._closed = False

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return self._closed or time.monotonic() >= self._until

    def say(self, text: str) -> None:
        """Tell how far it has come, unless somebody did so just now."""
        with self._lock:
            if self._closed or time.monotonic() - self._told < PAUSE_S:
                return
            self._told = time.monotonic()
            self._on_progress(text)

    def close(self) -> None:
        """Let nobody say anything more: a call that hangs may come back late."""
        with self._lock:
            self._closed = True


@dataclass(frozen=True)
class Images:
    """What was counted in a repository.

    Attributes:
        count: Images, those without a tag included.
        bytes: Their sizes; layers that images share are counted for each.
    """

    count: int
    bytes: int
    complete: bool

    def amounts(self) -> tuple[Amount, ...]:
        """Return it in numbers."""
        more = not self.complete
        return (
            Amount(what="images", count=self.count, more=more),
            Amount(what="bytes", count=self.bytes, more=more),
        )

    def words(self) -> str:
        """Return it for people."""
        return ", ".join(each.words() for each in self.amounts())


def count_images(clients: Clients, name: str, patience: Patience) -> Images | None:
    """Count what a repository holds, for a while; None where there is none of that name."""
    count = size = 0
    complete = True
    pages = clients.ecr().get_paginator("describe_images").paginate(repositoryName=name)
    try:
        for page in pages:
            for image in page["imageDetails"]:
                count += 1
                size += image.get("imageSizeInBytes", 0)
            patience.say(f"Counting the images of {name}: {count:,} so far")
            if page.get("nextToken") and patience.over:
                complete = False
                break
    except ClientError as error:
        if code_of(error) == "RepositoryNotFoundException":
            return None
        raise
    return Images(count, size, complete)


WAITING: Final = ("SUBMITTED", "PENDING", "RUNNABLE")
WORKING: Final = ("STARTING", "RUNNING")
ACTIVE: Final = (*WAITING, *WORKING)


def count_jobs(clients: Clients, queue: str, patience: Patience) -> tuple[Amount, ...] | None:
    """Count a queue's jobs that are not over, by status; None where there is no such queue."""
    found = []
    try:
        for status in ACTIVE:
            count, more = 0, False
            pages = clients.batch().get_paginator("list_jobs")
            for page in pages.paginate(jobQueue=queue, jobStatus=status):
                count += len(page["jobSummaryList"])
                patience.say(f"Counting the jobs of {queue.rpartition('/')[2]}: {count:,} so far")
                if page.get("nextToken") and patience.over:
                    more = True
                    break
            found.append(Amount(what=f"{status.lower()} jobs", count=count, more=more))
    except ClientError as error:
        if "does not exist" in str(error) or "not found" in str(error):
            return None
        raise
    return tuple(found)


def find_log_group(clients: Clients, name: str) -> dict[str, Any] | None:
    """Return a log group as CloudWatch describes it; None where there is none of that name.

    The number of bytes is CloudWatch's own, which it brings up to date every few days.
    """
    said: dict[str, Any] = clients.logs().describe_log_groups(logGroupNamePrefix=name)
    found = (each for each in said.get("logGroups", ()) if each["logGroupName"] == name)
    return next(found, None)


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


def _estimate(clients: Clients, name: str) -> str:
    """Return what CloudWatch says of the bucket's size: S3 tells it once a day, for nothing."""
    now = datetime.now(UTC)
    totals: dict[str, float] = {}
    last: datetime | None = None
    try:
        cloudwatch: Any = clients.cloudwatch()
        named = [{"Name": "BucketName", "Value": name}]
        for metric in cloudwatch.list_metrics(Namespace="AWS/S3", Dimensions=named)["Metrics"]:
            points = cloudwatch.get_metric_statistics(
                Namespace="AWS/S3",
                MetricName=metric["MetricName"],
                Dimensions=metric["Dimensions"],
                StartTime=now - timedelta(days=3),
                EndTime=now,
                Period=86_400,
                Statistics=["Average"],
            )["Datapoints"]
            if points:
                # Each storage class has a metric of its own.
                latest = max(points, key=lambda each: each["Timestamp"])
                known = totals.get(metric["MetricName"], 0.0)
                totals[metric["MetricName"]] = known + latest["Average"]
                last = max(last or latest["Timestamp"], latest["Timestamp"])
    except (BotoCoreError, ClientError, LookupError):
        return ""
    size, number = totals.get("BucketSizeBytes"), totals.get("NumberOfObjects")
    if last is None or size is None or number is None:
        return ""
    return f"CloudWatch on {last:%Y-%m-%d}: {counted(int(number), 'object')}, {sized(size)}"
