"""What is left of a deployment after a destroy: searched by its ids, names and tags."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

from biomodal_deploy.aws.checks import Unavailable, run_all
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.ledger import left_disks, left_machines, left_services
from biomodal_deploy.aws.ledger.counting import Patience
from biomodal_deploy.aws.ledger.model import Left, Remains, Unread
from biomodal_deploy.aws.ledger.search import Search
from biomodal_deploy.aws.ledger.subject import Subject

SECONDS: Final = 25.0
COUNTING_S: Final = 15.0

_IN_EC2: Final = (
    ("instances", left_machines.instances),
    ("volumes", left_disks.volumes),
    ("snapshots", left_disks.snapshots),
    ("machine images", left_disks.images),
    ("elastic IP addresses", left_machines.addresses),
    ("network interfaces", left_machines.interfaces),
    ("launch templates", left_machines.templates),
    ("key pairs", left_machines.key_pairs),
)


def read_remains(
    subject: Subject,
    clients: Clients,
    tell: Callable[[str], None],
    *,
    seconds: float = SECONDS,
    counting_s: float = COUNTING_S,
) -> Remains:
    """Search the account for what is left; nothing is changed.

    Args:
        subject: The deployment, as its destroy plan knew it.
        clients: How to ask.
        tell: Told how far counting has come, where it takes long.
        seconds: How long to wait for all answers.
        counting_s: How long to count what is in buckets and repositories.
    """
    started = time.monotonic()
    patience = Patience(counting_s, tell)
    questions = list(_questions(Search(subject, clients), patience))
    left: dict[int, Sequence[Left]] = {}
    unread: dict[int, Unread] = {}
    for number, answer in run_all([ask for _, ask in questions], clients, seconds):
        if isinstance(answer, Unavailable):
            what = questions[number][0]
            unread[number] = Unread(what=what, line=answer.line, fix=answer.fix)
        else:
            left[number] = answer
    patience.close()
    return Remains(
        stack=subject.stack,
        region=clients.region,
        at=datetime.now(UTC),
        seconds=round(time.monotonic() - started, 1),
        left=_ordered([each for number in sorted(left) for each in left[number]]),
        unread=tuple(unread[number] for number in sorted(unread)),
    )


def nothing_left(subject: Subject) -> Remains:
    """Return what is left of a stack that made nothing in AWS."""
    return Remains(stack=subject.stack, region=subject.region, at=datetime.now(UTC), seconds=0.0)


def unread_remains(subject: Subject, line: str, fix: str | None = None) -> Remains:
    """Return what is left in an account that cannot be asked at all.

    Args:
        subject: The deployment.
        line: Why not.
        fix: What mends it.
    """
    return Remains(
        stack=subject.stack,
        region=subject.region,
        at=datetime.now(UTC),
        seconds=0.0,
        unread=(Unread(what="everything", line=line, fix=fix),),
    )


def _questions(
    search: Search, patience: Patience
) -> Iterator[tuple[str, Callable[[], Sequence[Left]]]]:
    subject = search.subject
    for bucket in subject.buckets:
        objects = partial(left_services.bucket, search, bucket, patience)
        yield f"bucket {bucket.name}", objects
    for repository in subject.repositories:
        images = partial(left_services.repository, search, repository.name, patience)
        yield f"repository {repository.name}", images
    for environment in subject.environments:
        hosts = partial(left_services.environment, search, environment.arn)
        yield f"compute environment {environment.name}", hosts
    for queue in subject.queues:
        jobs = partial(left_services.queue, search, queue.arn)
        yield f"job queue {queue.name}", jobs
    for group in subject.log_groups:
        logs = partial(left_services.log_group, search, group.name)
        yield f"log group {group.name}", logs
    if subject.queues:
        shared = partial(left_services.log_group, search, left_services.SHARED_LOGS, ours=False)
        yield f"log group {left_services.SHARED_LOGS}", shared
    for what, find in _IN_EC2:
        yield what, partial(find, search)


def _ordered(found: Sequence[Left]) -> tuple[Left, ...]:
    """Put first what is ours and bills; a snapshot that goes with its image is listed once."""
    left = {(each.kind, each.name): each for each in found}
    of_images = " ".join(
        command for each in left.values() if each.kind == "image" for command in each.commands
    ).split()
    shown = [
        each for each in left.values() if not (each.kind == "snapshot" and each.name in of_images)
    ]
    return tuple(sorted(shown, key=lambda each: (not each.ours, not each.bills)))
