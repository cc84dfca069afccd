"""A stack's account, searched: what it holds before a destroy, and what is left of it after."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeVar

from biomodal_deploy.aws import commands
from biomodal_deploy.aws.checks import Unavailable, run_all
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.commands import aws
from biomodal_deploy.aws.errors import one_line, or_none
from biomodal_deploy.aws.ledger import (
    Fate,
    Holding,
    Ledger,
    Leftover,
    Leftovers,
    Unread,
    holdings,
    leftovers_ec2,
)
from biomodal_deploy.aws.ledger.counting import (
    COUNTING_S,
    SECONDS,
    Patience,
    count_bucket,
    count_images,
    find_log_group,
)
from biomodal_deploy.aws.ledger.holdings import holding
from biomodal_deploy.aws.ledger.target import Search, Target
from biomodal_deploy.aws.resources import Bucket
from biomodal_deploy.config.contract.aws import BATCH_LOGS
from biomodal_deploy.text import sized

_About = TypeVar("_About")
_Found = TypeVar("_Found")

# Each kind of thing, where the target has them, and what asks about one.
_KINDS: Final[tuple[tuple[str, str, Callable[..., Sequence[Holding]]], ...]] = (
    ("bucket", "buckets", holdings.bucket),
    ("repository", "repositories", holdings.repository),
    ("job-queue", "queues", holdings.job_queue),
    ("vm", "machines", holdings.machine),
    ("elastic-ip", "public_addresses", holdings.address),
    ("log-group", "log_groups", holdings.log_group),
)
_IN_EC2: Final = (
    ("instances", leftovers_ec2.instances),
    ("volumes", leftovers_ec2.volumes),
    ("snapshots", leftovers_ec2.snapshots),
    ("machine images", leftovers_ec2.images),
    ("elastic IP addresses", leftovers_ec2.addresses),
    ("network interfaces", leftovers_ec2.interfaces),
    ("launch templates", leftovers_ec2.templates),
    ("key pairs", leftovers_ec2.key_pairs),
)


def read_ledger(target: Target, clients: Clients, on_progress: Callable[[str], None]) -> Ledger:
    """Read what a stack holds; nothing is changed."""
    started = time.monotonic()
    search = Search(target, clients, Patience(COUNTING_S, on_progress))
    found: list[Holding] = []
    for asked, answer in _answers(search, _held(search)):
        found += [_unknown(asked, answer)] if isinstance(answer, Unavailable) else answer
    return Ledger(
        stack=target.stack,
        region=clients.region,
        at=datetime.now(UTC),
        seconds=round(time.monotonic() - started, 1),
        holdings=tuple(found),
    )


def unread_ledger(target: Target, line: str, fix: str | None = None) -> Ledger:
    """Return the ledger of an account that cannot be asked at all."""
    reason = Unavailable(line, fix)
    return Ledger(
        stack=target.stack,
        region=target.region,
        at=datetime.now(UTC),
        seconds=0.0,
        holdings=tuple(
            _unknown(holding(kind, each, Fate.UNKNOWN, ""), reason)
            for kind, field, _ in _KINDS
            if kind != "elastic-ip"  # of which the plan knows all
            for each in getattr(target, field)
        ),
    )


def find_leftovers(
    target: Target, clients: Clients, on_progress: Callable[[str], None]
) -> Leftovers:
    """Search the account for what is left; nothing is changed."""
    started = time.monotonic()
    search = Search(target, clients, Patience(COUNTING_S, on_progress))
    left: list[Leftover] = []
    unread: list[Unread] = []
    for what, answer in _answers(search, _left(search)):
        if isinstance(answer, Unavailable):
            unread.append(Unread(what=what, line=answer.line, fix=answer.fix))
        else:
            left += answer
    return Leftovers(
        stack=target.stack,
        region=clients.region,
        at=datetime.now(UTC),
        seconds=round(time.monotonic() - started, 1),
        left=_ordered(left),
        unread=tuple(unread),
    )


def no_leftovers(target: Target, *unread: Unread) -> Leftovers:
    """Return what is left of a stack that made nothing in AWS."""
    return Leftovers(
        stack=target.stack, region=target.region, at=datetime.now(UTC), seconds=0.0, unread=unread
    )


def unread_leftovers(target: Target, line: str, fix: str | None = None) -> Leftovers:
    """Return what is left in an account that cannot be asked at all."""
    return no_leftovers(target, Unread(what="everything", line=line, fix=fix))


def _answers(
    search: Search, questions: Iterable[tuple[_About, Callable[[], Sequence[_Found]]]]
) -> Iterator[tuple[_About, Sequence[_Found] | Unavailable]]:
    """Ask everything at once, within one deadline; yield the answers in the questions' order."""
    asked = list(questions)
    found = dict(run_all([ask for _, ask in asked], search.clients, SECONDS))
    search.patience.close()
    for number, (about, _) in enumerate(asked):
        yield about, found[number]


def _held(search: Search) -> Iterator[tuple[Holding, Callable[[], Sequence[Holding]]]]:
    """Yield what is asked about, as long as nothing is known of it, and what asks."""
    for kind, field, ask in _KINDS:
        for each in getattr(search.target, field):
            yield holding(kind, each, Fate.UNKNOWN, ""), partial(ask, search, each)


def _unknown(asked: Holding, reason: Unavailable) -> Holding:
    fixes = (reason.fix,) if reason.fix else ()
    return asked.model_copy(update={"line": reason.line, "fixes": fixes})


def _left(search: Search) -> Iterator[tuple[str, Callable[[], Sequence[Leftover]]]]:
    target = search.target
    for bucket in target.buckets:
        yield f"bucket {bucket.name}", partial(_bucket_left, search, bucket)
    for repository in target.repositories:
        images = partial(_repository_left, search, repository.name)
        yield f"repository {repository.name}", images
    for environment in target.environments:
        hosts = partial(_environment_left, search, environment.arn)
        yield f"compute environment {environment.name}", hosts
    for queue in target.queues:
        yield f"job queue {queue.name}", partial(_queue_left, search, queue.arn)
    for group in target.log_groups:
        yield f"log group {group.name}", partial(_log_group_left, search, group.name)
    if target.queues:
        shared = partial(_log_group_left, search, BATCH_LOGS, ours=False)
        yield f"log group {BATCH_LOGS}", shared
    for what, find in _IN_EC2:
        yield what, partial(find, search)


def _ordered(found: Sequence[Leftover]) -> tuple[Leftover, ...]:
    """Put first what is ours and bills; a snapshot that goes with its image is listed once."""
    left = {(each.kind, each.name): each for each in found}
    of_images = " ".join(
        command for each in left.values() if each.kind == "image" for command in each.commands
    ).split()
    shown = [
        each for each in left.values() if not (each.kind == "snapshot" and each.name in of_images)
    ]
    return tuple(sorted(shown, key=lambda each: (not each.ours, not each.bills)))


# What is left outside EC2 is looked for by the names that the stack gave it: every find is its own.


def _bucket_left(search: Search, found: Bucket) -> list[Leftover]:
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


def _repository_left(search: Search, name: str) -> list[Leftover]:
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


def _environment_left(search: Search, arn: str) -> list[Leftover]:
    """Return a compute environment that is still there: one stuck in DELETING keeps its hosts."""
    said = search.clients.batch().describe_compute_environments(computeEnvironments=[arn])
    # Its hosts are what bills, and Batch starts none without a job.
    return [
        _of_batch(search, "compute-environment", each["computeEnvironmentName"], each, bills=True)
        for each in said["computeEnvironments"]
        if each.get("status") != "DELETED"
    ]


def _queue_left(search: Search, arn: str) -> list[Leftover]:
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


def _log_group_left(search: Search, name: str, *, ours: bool = True) -> list[Leftover]:
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
