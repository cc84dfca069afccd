"""What is left of a stack after a destroy: searched by its ids, names and tags."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

from biomodal_deploy.aws.checks import Unavailable, run_all
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.ledger import leftovers_ec2
from biomodal_deploy.aws.ledger import leftovers_services as services
from biomodal_deploy.aws.ledger.counting import COUNTING_S, SECONDS, Patience
from biomodal_deploy.aws.ledger.model import Leftover, Leftovers, Unread
from biomodal_deploy.aws.ledger.target import Search, Target

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


def find_leftovers(target: Target, clients: Clients, tell: Callable[[str], None]) -> Leftovers:
    """Search the account for what is left; nothing is changed."""
    started = time.monotonic()
    search = Search(target, clients, Patience(COUNTING_S, tell))
    questions = list(_questions(search))
    left: dict[int, Sequence[Leftover]] = {}
    unread: dict[int, Unread] = {}
    for number, answer in run_all([ask for _, ask in questions], clients, SECONDS):
        if isinstance(answer, Unavailable):
            what = questions[number][0]
            unread[number] = Unread(what=what, line=answer.line, fix=answer.fix)
        else:
            left[number] = answer
    search.patience.close()
    return Leftovers(
        stack=target.stack,
        region=clients.region,
        at=datetime.now(UTC),
        seconds=round(time.monotonic() - started, 1),
        left=_ordered([each for number in sorted(left) for each in left[number]]),
        unread=tuple(unread[number] for number in sorted(unread)),
    )


def no_leftovers(target: Target) -> Leftovers:
    """Return what is left of a stack that made nothing in AWS."""
    return Leftovers(stack=target.stack, region=target.region, at=datetime.now(UTC), seconds=0.0)


def unread_leftovers(target: Target, line: str, fix: str | None = None) -> Leftovers:
    """Return what is left in an account that cannot be asked at all."""
    return Leftovers(
        stack=target.stack,
        region=target.region,
        at=datetime.now(UTC),
        seconds=0.0,
        unread=(Unread(what="everything", line=line, fix=fix),),
    )


def _questions(search: Search) -> Iterator[tuple[str, Callable[[], Sequence[Leftover]]]]:
    target = search.target
    for bucket in target.buckets:
        yield f"bucket {bucket.name}", partial(services.bucket, search, bucket)
    for repository in target.repositories:
        images = partial(services.repository, search, repository.name)
        yield f"repository {repository.name}", images
    for environment in target.environments:
        hosts = partial(services.environment, search, environment.arn)
        yield f"compute environment {environment.name}", hosts
    for queue in target.queues:
        yield f"job queue {queue.name}", partial(services.queue, search, queue.arn)
    for group in target.log_groups:
        yield f"log group {group.name}", partial(services.log_group, search, group.name)
    if target.queues:
        shared = partial(services.log_group, search, services.SHARED_LOGS, ours=False)
        yield f"log group {services.SHARED_LOGS}", shared
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
