"""What a deployment holds before it is destroyed: everything asked at once, within one deadline."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Final

from biomodal_deploy.aws.ask import Question, Silence, ask_all
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.ledger import commands, machines, storage
from biomodal_deploy.aws.ledger.counting import Patience
from biomodal_deploy.aws.ledger.jobs import ACTIVE, WORKING, count_jobs
from biomodal_deploy.aws.ledger.model import Amount, Fate, Holding, Ledger
from biomodal_deploy.aws.ledger.subject import Subject
from biomodal_deploy.aws.things import Queue

SECONDS: Final = 25.0
# Counting ends before anybody stops waiting for it: a part of a count is worth telling.
COUNTING_S: Final = 15.0
# AWS Batch ends about 16 jobs a second, and Terraform's provider waits ten minutes for a queue.
_MOST_JOBS: Final = 9_000


def read_ledger(
    subject: Subject,
    clients: Clients,
    tell: Callable[[str], None],
    *,
    seconds: float = SECONDS,
    counting_s: float = COUNTING_S,
) -> Ledger:
    """Read what a deployment holds; nothing is changed.

    Args:
        subject: The deployment, as its destroy plan knows it.
        clients: How to ask.
        tell: Told how far counting has come, where it takes long.
        seconds: How long to wait for all answers.
        counting_s: How long to count objects, images and jobs.
    """
    started = time.monotonic()
    patience = Patience(counting_s, tell)
    questions = list(_questions(subject, clients, patience))
    answers = ask_all(questions, clients, seconds)
    patience.close()
    return Ledger(
        stack=subject.stack,
        region=clients.region,
        at=datetime.now(UTC),
        seconds=round(time.monotonic() - started, 1),
        holdings=tuple(
            holding
            for question, answer in zip(questions, answers, strict=True)
            for holding in (_unknown(question, answer) if isinstance(answer, Silence) else answer)
        ),
    )


def unread_ledger(subject: Subject, line: str, fix: str | None = None) -> Ledger:
    """Return the ledger of an account that cannot be asked at all.

    Args:
        subject: The deployment.
        line: Why not.
        fix: What mends it.
    """
    silence = Silence(line, fix)
    # Only their names are read: nobody is there to be asked.
    names = [
        *(("bucket", each.name, each.address) for each in subject.buckets),
        *(("repository", each.name, each.address) for each in subject.repositories),
        *(("job-queue", each.name, each.address) for each in subject.queues),
        *(("vm", each.id, each.address) for each in subject.machines),
        *(("log-group", each.name, each.address) for each in subject.log_groups),
    ]
    unknown: list[Question[Holding]] = [
        Question(kind, name, tuple, address) for kind, name, address in names
    ]
    return Ledger(
        stack=subject.stack,
        region=subject.region,
        at=datetime.now(UTC),
        seconds=0.0,
        holdings=tuple(holding for question in unknown for holding in _unknown(question, silence)),
    )


def _questions(
    subject: Subject, clients: Clients, patience: Patience
) -> Iterator[Question[Holding]]:
    for each in subject.buckets:
        ask = partial(storage.bucket, subject, each, clients, patience)
        yield Question("bucket", each.name, ask, each.address)
    for repository in subject.repositories:
        images = partial(storage.repository, subject, repository, clients, patience)
        yield Question("repository", repository.name, images, repository.address)
    for queue in subject.queues:
        waiting = partial(_jobs, queue, clients, patience)
        yield Question("job-queue", queue.name, waiting, queue.address)
    for vm in subject.machines:
        yield Question("vm", vm.id, partial(machines.machine, vm, clients), vm.address)
    for address in subject.public_addresses:
        name = address.public_ip or address.allocation_id
        yield Question("elastic-ip", name, partial(machines.address, address), address.address)
    for group in subject.log_groups:
        logs = partial(storage.log_group, group, clients)
        yield Question("log-group", group.name, logs, group.address)


def _jobs(queue: Queue, clients: Clients, patience: Patience) -> list[Holding]:
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
    queue: Queue,
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


def _unknown(question: Question[Holding], silence: Silence) -> tuple[Holding, ...]:
    return (
        Holding(
            kind=question.kind,
            name=question.name,
            address=question.address,
            fate=Fate.UNKNOWN,
            line=silence.line,
            fixes=(silence.fix,) if silence.fix else (),
        ),
    )
