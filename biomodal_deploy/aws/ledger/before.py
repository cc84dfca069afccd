"""What a stack holds before it is destroyed: everything asked at once, within one deadline."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

from biomodal_deploy.aws import commands
from biomodal_deploy.aws.checks import Unavailable, run_all
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.ledger import machines, storage
from biomodal_deploy.aws.ledger.counting import ACTIVE, WORKING, Patience, count_jobs
from biomodal_deploy.aws.ledger.model import Amount, Fate, Holding, Ledger
from biomodal_deploy.aws.ledger.target import Target
from biomodal_deploy.aws.resources import JobQueue

SECONDS: Final = 25.0
# Counting ends before anybody stops waiting for it: a part of a count is worth telling.
COUNTING_S: Final = 15.0
# AWS Batch ends about 16 jobs a second, and Terraform's provider waits ten minutes for a queue.
_MOST_JOBS: Final = 9_000


def read_ledger(
    target: Target,
    clients: Clients,
    tell: Callable[[str], None],
    *,
    seconds: float = SECONDS,
    counting_s: float = COUNTING_S,
) -> Ledger:
    """Read what a stack holds; nothing is changed.

    Args:
        tell: Receives how far counting has come, where it takes long.
    """
    started = time.monotonic()
    patience = Patience(counting_s, tell)
    questions = list(_questions(target, clients, patience))
    found: dict[int, Sequence[Holding]] = {}
    for number, answer in run_all([ask for _, ask in questions], clients, seconds):
        holding = questions[number][0]
        found[number] = [_unknown(holding, answer)] if isinstance(answer, Unavailable) else answer
    patience.close()
    return Ledger(
        stack=target.stack,
        region=clients.region,
        at=datetime.now(UTC),
        seconds=round(time.monotonic() - started, 1),
        holdings=tuple(each for number in sorted(found) for each in found[number]),
    )


def unread_ledger(target: Target, line: str, fix: str | None = None) -> Ledger:
    """Return the ledger of an account that cannot be asked at all."""
    held = [
        *(("bucket", each.name, each.address) for each in target.buckets),
        *(("repository", each.name, each.address) for each in target.repositories),
        *(("job-queue", each.name, each.address) for each in target.queues),
        *(("vm", each.id, each.address) for each in target.machines),
        *(("log-group", each.name, each.address) for each in target.log_groups),
    ]
    reason = Unavailable(line, fix)
    return Ledger(
        stack=target.stack,
        region=target.region,
        at=datetime.now(UTC),
        seconds=0.0,
        holdings=tuple(_unknown(_holding(*each), reason) for each in held),
    )


def _questions(
    target: Target, clients: Clients, patience: Patience
) -> Iterator[tuple[Holding, Callable[[], Sequence[Holding]]]]:
    """Yield what is asked about, as long as nothing is known of it, and what asks."""
    for each in target.buckets:
        ask = partial(storage.bucket, target, each, clients, patience)
        yield _holding("bucket", each.name, each.address), ask
    for repository in target.repositories:
        images = partial(storage.repository, target, repository, clients, patience)
        yield _holding("repository", repository.name, repository.address), images
    for queue in target.queues:
        waiting = partial(_jobs, queue, clients, patience)
        yield _holding("job-queue", queue.name, queue.address), waiting
    for vm in target.machines:
        yield _holding("vm", vm.id, vm.address), partial(machines.machine, vm, clients)
    for address in target.public_addresses:
        name = address.public_ip or address.allocation_id
        yield (
            _holding("elastic-ip", name, address.address),
            partial(machines.address, address),
        )
    for group in target.log_groups:
        logs = partial(storage.log_group, group, clients)
        yield _holding("log-group", group.name, group.address), logs


def _holding(kind: str, name: str, address: str | None) -> Holding:
    return Holding(kind=kind, name=name, address=address, fate=Fate.UNKNOWN, line="")


def _unknown(holding: Holding, reason: Unavailable) -> Holding:
    fixes = (reason.fix,) if reason.fix else ()
    return holding.model_copy(update={"line": reason.line, "fixes": fixes})


def _jobs(queue: JobQueue, clients: Clients, patience: Patience) -> list[Holding]:
    counts = count_jobs(clients, queue.arn, patience)
    if counts is None:
        line = "it is gone already: deleted outside Terraform"
        return [_queue(queue, Fate.GONE, line)]
    active = [each for each in counts if each.count]
    if not active:
        return [_queue(queue, Fate.EMPTY, "no jobs")]
    words = ", ".join(each.words() for each in active)
    at_work = [each.what.removesuffix(" jobs").upper() for each in active]
    looked = next((each for each in at_work if each in WORKING), at_work[0])
    fixes = (
        f"to see them: {commands.list_jobs(queue.name, looked, clients.region)}",
        f"to end them first: {commands.end_jobs(queue.name, ACTIVE, clients.region)}",
    )
    if sum(each.count for each in active) > _MOST_JOBS:
        line = (
            f"{words}; Batch ends about 16 jobs a second, and Terraform waits ten minutes for the "
            "queue"
        )
        return [_queue(queue, Fate.STOPS, line, counts, fixes)]
    line = f"{words}; the destroy ends them in the middle of their work"
    return [_queue(queue, Fate.LOST, line, counts, fixes)]


def _queue(
    queue: JobQueue,
    fate: Fate,
    line: str,
    amounts: tuple[Amount, ...] = (),
    fixes: tuple[str, ...] = (),
) -> Holding:
    return Holding(
        kind="job-queue",
        name=queue.name,
        address=queue.address,
        fate=fate,
        line=line,
        amounts=amounts,
        fixes=fixes,
    )
