"""What is left outside EC2 after a destroy: buckets, repositories, Batch and log groups.

They are looked for by the names that the stack gave them, so every find is its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from biomodal_deploy.aws import commands
from biomodal_deploy.aws.commands import aws
from biomodal_deploy.aws.errors import one_line, or_none
from biomodal_deploy.aws.ledger.counting import count_bucket, count_images, find_log_group
from biomodal_deploy.aws.ledger.model import Leftover
from biomodal_deploy.aws.ledger.target import Search
from biomodal_deploy.aws.resources import Bucket
from biomodal_deploy.text import sized

# Where tasks log unless they are told otherwise: one group for all of a region's Batch jobs.
SHARED_LOGS: Final = "/aws/batch/job"


def bucket(search: Search, found: Bucket) -> list[Leftover]:
    """Return a bucket that is still there, and what is in it."""
    contents = or_none(
        lambda: count_bucket(search.clients, found.name, search.patience), "NoSuchBucket", "404"
    )
    if contents is None:
        return []
    whose = "; Terraform did not manage it" if found.address is None else ""
    return [
        Leftover(
            kind="bucket",
            name=found.name,
            line=f"{contents.words()}{whose}",
            # Parts of unfinished uploads bill as objects do; what nobody saw may be there.
            bills=not contents.is_empty or contents.uploads != 0 or not contents.sees_versions,
            commands=commands.remove_bucket(
                found.name, search.region, versions=contents.has_versions
            ),
        )
    ]


def repository(search: Search, name: str) -> list[Leftover]:
    """Return a repository that is still there, and what is in it."""
    images = count_images(search.clients, name, search.patience)
    if images is None:
        return []
    return [
        Leftover(
            kind="repository",
            name=name,
            line=images.words(),
            bills=images.count > 0,
            commands=(commands.remove_repository(name, search.region),),
        )
    ]


def environment(search: Search, arn: str) -> list[Leftover]:
    """Return a compute environment that is still there: one stuck in DELETING keeps its hosts."""
    said = search.clients.batch().describe_compute_environments(computeEnvironments=[arn])
    # Its hosts are what bills, and Batch starts none without a job.
    return [
        _of_batch(search, "compute-environment", each["computeEnvironmentName"], each, bills=True)
        for each in said["computeEnvironments"]
        if each.get("status") != "DELETED"
    ]


def queue(search: Search, arn: str) -> list[Leftover]:
    """Return a job queue that is still there; by itself it costs nothing."""
    said = search.clients.batch().describe_job_queues(jobQueues=[arn])
    return [
        _of_batch(search, "job-queue", each["jobQueueName"], each, bills=False)
        for each in said["jobQueues"]
        if each.get("status") != "DELETED"
    ]


def _of_batch(
    search: Search, kind: str, name: str, said: Mapping[str, Any], *, bills: bool
) -> Leftover:
    reason = said.get("statusReason", "")
    because = f": {one_line(reason)}" if reason else ""
    return Leftover(
        kind=kind,
        name=name,
        line=f"{said.get('state', '?')}, {said.get('status', '?')}{because}",
        bills=bills,
        commands=commands.remove_from_batch(kind, name, search.region),
    )


def log_group(search: Search, name: str, *, ours: bool = True) -> list[Leftover]:
    """Return a log group that is still there."""
    group = find_log_group(search.clients, name)
    if group is None:
        return []
    days, size = group.get("retentionInDays"), group.get("storedBytes", 0)
    kept = f"{days} days" if days else "for ever"
    shared = "" if ours else "; all Batch jobs of the region log there"
    return [
        Leftover(
            kind="log-group",
            name=name,
            line=f"{sized(size)}, kept {kept}{shared}",
            bills=True,
            ours=ours,
            commands=(aws("logs", "delete-log-group", search.region, "--log-group-name", name),),
        )
    ]
