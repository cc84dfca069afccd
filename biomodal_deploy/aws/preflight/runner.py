"""Ask everything at once, and answer for what does not answer in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from biomodal_deploy.aws.answers import Answer, Finding, Report, cannot_tell
from biomodal_deploy.aws.check import Check
from biomodal_deploy.aws.clients import WORKERS, Clients
from biomodal_deploy.aws.errors import one_line, trouble_of
from biomodal_deploy.aws.pool import as_finished
from biomodal_deploy.aws.preflight.checks import OPTIONS, all_checks
from biomodal_deploy.aws.preflight.facts import Facts, Unanswered
from biomodal_deploy.aws.preflight.needs import NeededActions
from biomodal_deploy.aws.preflight.prerequisites import VARIABLES
from biomodal_deploy.aws.preflight.target import Target

if TYPE_CHECKING:
    from boto3.session import Session

# `doctor` ends in 15 s whatever the network does; the rest is for starting and printing.
SECONDS: Final = 12.0
QUICK_SECONDS: Final = 6.0


@dataclass(frozen=True)
class Progress:
    """One check has ended.

    Attributes:
        finding: What it found.
        done: How many have ended.
        total: How many there are.
    """

    finding: Finding
    done: int
    total: int


def run_preflight(
    target: Target,
    session: Session,
    *,
    quick: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    owned: frozenset[str] = frozenset(),
    needed_actions: NeededActions | None = None,
    seconds: float | None = None,
) -> Report:
    """Check the account for what an apply of this deployment will meet; nothing is changed.

    Args:
        target: The deployment.
        session: Whose credentials to use.
        quick: Ask only what is asked before every plan.
        on_progress: Told of each check as it ends, in this thread.
        owned: What the stack's state holds already, from `owned_by`: those names are not taken.
        needed_actions: Tells what an apply calls; without it, that check cannot tell.
        seconds: How long to wait for answers.

    Returns:
        A finding for each check, in the order of the checks.
    """
    limit = seconds if seconds is not None else QUICK_SECONDS if quick else SECONDS
    checks = [
        check
        for check in all_checks(needed_actions)
        if (check.quick or not quick) and (check.name != OPTIONS or target.hardened)
    ]
    facts = Facts(target, Clients(session, target.region), owned)
    return _run(checks, facts, limit, on_progress, quick=quick)


def run_role_checks(session: Session, region: str, *, seconds: float = QUICK_SECONDS) -> Report:
    """Check only for the roles that every deployment needs and none makes.

    Args:
        session: Whose credentials to use.
        region: Any region of the account's partition: roles are the same in all of them.
        seconds: How long to wait for answers.
    """
    checks = [check for check in all_checks() if check.name in VARIABLES]
    # These checks ask about the account alone, whatever is going to be deployed into it.
    nothing = Target(region=region, vpc_id="", subnet_id="", vm_name="", bootstrap="native")
    facts = Facts(nothing, Clients(session, region), frozenset())
    return _run(checks, facts, seconds, None, quick=False)


def _run(
    checks: Sequence[Check],
    facts: Facts,
    seconds: float,
    on_progress: Callable[[Progress], None] | None,
    *,
    quick: bool,
) -> Report:
    started = time.monotonic()
    found: dict[int, Finding] = {}
    jobs = [partial(ask, check, facts) for check in checks]
    for number, outcome in as_finished(jobs, workers=WORKERS, seconds=seconds):
        found[number] = checks[number].found(outcome.result())
        if on_progress:
            on_progress(Progress(found[number], len(found), len(checks)))
    return Report(
        findings=tuple(
            found.get(number) or check.unanswered(seconds) for number, check in enumerate(checks)
        ),
        quick=quick,
        seconds=time.monotonic() - started,
    )


def ask(check: Check, facts: Facts) -> Answer:
    """Return a check's answer, or why there is none: one that breaks leaves the others whole."""
    try:
        return check.look(facts)
    except Unanswered as missing:
        return cannot_tell(str(missing))
    except (BotoCoreError, ClientError) as error:
        trouble = trouble_of(error, facts.clients)
        return cannot_tell(trouble.line, trouble.fix)
    except Exception as error:  # noqa: BLE001 - an answer of AWS that nobody has seen before
        return cannot_tell(
            f"the check itself broke ({type(error).__name__}: {one_line(str(error))})",
            "report it as a bug of biomodal-aws",
        )
