"""How much a bucket, a repository, a queue or a log group holds, counted for a limited time.

A bucket may hold a billion objects, and S3 lists a thousand at a time: counting has an end, and
what was not counted to the end says so. What is in a bucket is counted in `objects.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final

from botocore.exceptions import ClientError
from pydantic import BaseModel, Field

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.errors import code_of
from biomodal_deploy.aws.ledger.model import Amount

# How long the account is asked, of a stack or of what is left of it.
SECONDS: Final = 25.0
# Counting ends before anybody stops waiting for it: a part of a count is worth telling.
COUNTING_S: Final = 15.0
PAUSE_S: Final = 2.0


class Patience:
    """How long counting may go on, shared by all that count at the same time.

    Args:
        tell: Receives how far counting has come, at most every two seconds.
    """

    def __init__(self, seconds: float, tell: Callable[[str], None]) -> None:
        self._until = time.monotonic() + seconds
        self._tell, self._lock = tell, Lock()
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
            self._tell(text)

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


class LogGroup(BaseModel):
    """A log group as CloudWatch describes it."""

    name: str = Field(alias="logGroupName")
    bytes: int = Field(default=0, alias="storedBytes")
    days: int | None = Field(default=None, alias="retentionInDays")


class _Groups(BaseModel):
    groups: tuple[LogGroup, ...] = Field(default=(), alias="logGroups")


def find_log_group(clients: Clients, name: str) -> LogGroup | None:
    """Return a log group; None where there is none of that name.

    The number of bytes is CloudWatch's own, which it brings up to date every few days.
    """
    said = clients.logs().describe_log_groups(logGroupNamePrefix=name)
    groups = _Groups.model_validate(said).groups
    return next((each for each in groups if each.name == name), None)
