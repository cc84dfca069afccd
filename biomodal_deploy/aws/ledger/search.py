"""A stack's account, searched: what it holds before a destroy, and what is left of it after."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar

from biomodal_deploy.aws.checks import Unavailable, run_all
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.ledger import holdings, leftovers_ec2
from biomodal_deploy.aws.ledger import leftovers_services as services
from biomodal_deploy.aws.ledger.counting import COUNTING_S, SECONDS, Patience
from biomodal_deploy.aws.ledger.holdings import holding
from biomodal_deploy.aws.ledger.model import Fate, Holding, Ledger, Leftover, Leftovers, Unread
from biomodal_deploy.aws.ledger.target import Search, Target

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


def read_ledger(target: Target, clients: Clients, tell: Callable[[str], None]) -> Ledger:
    """Read what a stack holds; nothing is changed."""
    started = time.monotonic()
    search = Search(target, clients, Patience(COUNTING_S, tell))
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


def find_leftovers(target: Target, clients: Clients, tell: Callable[[str], None]) -> Leftovers:
    """Search the account for what is left; nothing is changed."""
    started = time.monotonic()
    search = Search(target, clients, Patience(COUNTING_S, tell))
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
