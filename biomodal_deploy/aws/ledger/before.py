"""What a stack holds before it is destroyed: everything asked at once, within one deadline."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

from biomodal_deploy.aws.checks import Unavailable, run_all
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.ledger import holdings
from biomodal_deploy.aws.ledger.counting import COUNTING_S, SECONDS, Patience
from biomodal_deploy.aws.ledger.holdings import holding
from biomodal_deploy.aws.ledger.model import Fate, Holding, Ledger
from biomodal_deploy.aws.ledger.target import Search, Target

# Each kind of thing, where the target has them, and what asks about one.
_KINDS: Final[tuple[tuple[str, str, Callable[..., Sequence[Holding]]], ...]] = (
    ("bucket", "buckets", holdings.bucket),
    ("repository", "repositories", holdings.repository),
    ("job-queue", "queues", holdings.job_queue),
    ("vm", "machines", holdings.machine),
    ("elastic-ip", "public_addresses", holdings.address),
    ("log-group", "log_groups", holdings.log_group),
)


def read_ledger(target: Target, clients: Clients, tell: Callable[[str], None]) -> Ledger:
    """Read what a stack holds; nothing is changed."""
    started = time.monotonic()
    search = Search(target, clients, Patience(COUNTING_S, tell))
    questions = list(_questions(search))
    found: dict[int, Sequence[Holding]] = {}
    for number, answer in run_all([ask for _, ask in questions], clients, SECONDS):
        asked = questions[number][0]
        found[number] = [_unknown(asked, answer)] if isinstance(answer, Unavailable) else answer
    search.patience.close()
    return Ledger(
        stack=target.stack,
        region=clients.region,
        at=datetime.now(UTC),
        seconds=round(time.monotonic() - started, 1),
        holdings=tuple(each for number in sorted(found) for each in found[number]),
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


def _questions(search: Search) -> Iterator[tuple[Holding, Callable[[], Sequence[Holding]]]]:
    """Yield what is asked about, as long as nothing is known of it, and what asks."""
    for kind, field, ask in _KINDS:
        for each in getattr(search.target, field):
            yield holding(kind, each, Fate.UNKNOWN, ""), partial(ask, search, each)


def _unknown(asked: Holding, reason: Unavailable) -> Holding:
    fixes = (reason.fix,) if reason.fix else ()
    return asked.model_copy(update={"line": reason.line, "fixes": fixes})
