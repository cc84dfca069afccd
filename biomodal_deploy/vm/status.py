"""Look at every part of a deployment at once, and again until it is ready."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from biomodal_deploy.aws.answer import Looked, Part, Status
from biomodal_deploy.aws.answers import cannot_tell
from biomodal_deploy.aws.clients import WORKERS, Clients
from biomodal_deploy.aws.errors import one_line, trouble_of
from biomodal_deploy.aws.pool import as_finished
from biomodal_deploy.aws.preflight import Answer, Verdict
from biomodal_deploy.aws.preflight.facts import Unanswered
from biomodal_deploy.text import counted
from biomodal_deploy.vm.built import Built
from biomodal_deploy.vm.parts import all_parts

SECONDS: Final = 20.0
PAUSE_S: Final = 10.0
# A lost answer passes; the same silence three times in a row is no accident.
_PATIENCE: Final = 3


def look(built: Built, clients: Clients, *, seconds: float = SECONDS) -> Status:
    """Ask AWS how a deployment is; nothing is changed.

    Args:
        built: The deployment as it was applied.
        clients: How to ask.
        seconds: How long to wait for all answers.
    """
    parts = all_parts(built, clients)
    found: dict[int, Answer] = {}
    jobs = [partial(_ask, part, clients) for part in parts]
    for number, outcome in as_finished(jobs, workers=WORKERS, seconds=seconds):
        found[number] = outcome.result()
    silence = cannot_tell(f"no answer from AWS in {seconds:g} seconds", "run it again")
    return Status(
        stack=built.stack,
        region=built.region,
        looked=tuple(
            Looked(part.name, part.title, found.get(number, silence))
            for number, part in enumerate(parts)
        ),
    )


def look_until_ready(
    look_once: Callable[[], Status],
    *,
    timeout_s: float,
    on_wait: Callable[[str], None],
    pause_s: float = PAUSE_S,
) -> Status:
    """Look again and again until a deployment is ready, has failed, or the time is over.

    Args:
        look_once: Looks.
        timeout_s: Seconds to wait for at most.
        on_wait: Told what is waited for, before each pause.
        pause_s: Seconds between two looks.
    """
    started = time.monotonic()
    unanswered = 0
    while True:
        status = look_once()
        waited = time.monotonic() - started
        unanswered = 0 if status.under_way else unanswered + 1
        silent = status.count(Verdict.CANNOT_TELL) > 0 and unanswered < _PATIENCE
        over = status.ready or status.count(Verdict.FAIL) > 0
        if over or not (status.under_way or silent) or waited >= timeout_s:
            return replace(status, waited=waited)
        on_wait(_waiting(status.looked))
        time.sleep(min(pause_s, max(0.0, timeout_s - waited)))


def _waiting(looked: Sequence[Looked]) -> str:
    open_ = [each for each in looked if each.answer.verdict is not Verdict.PASS]
    first = open_[0]
    more = f", and {counted(len(open_) - 1, 'more check')}" if len(open_) > 1 else ""
    return f"Waiting: {first.title}: {first.answer.line}{more}"


def _ask(part: Part, clients: Clients) -> Answer:
    """Return a part's answer, or why there is none: one that breaks leaves the others whole."""
    try:
        return part.look()
    except Unanswered as missing:
        return cannot_tell(str(missing))
    except (BotoCoreError, ClientError) as error:
        trouble = trouble_of(error, clients)
        return cannot_tell(trouble.line, trouble.fix)
    except Exception as error:  # noqa: BLE001 - an answer of AWS that nobody has seen before
        return cannot_tell(
            f"the check itself broke ({type(error).__name__}: {one_line(str(error))})",
            "report it as a bug of biomodal-aws",
        )
