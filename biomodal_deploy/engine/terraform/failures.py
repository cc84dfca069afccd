"""A call of Terraform that failed or was stopped, as an error that names the cause."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from biomodal_deploy.engine.process import KILL, Step
from biomodal_deploy.engine.terraform.events import Diagnostic
from biomodal_deploy.engine.terraform.locks import LockInfo
from biomodal_deploy.engine.terraform.results import ApplyRun, Touched
from biomodal_deploy.errors import EngineError, Interrupted
from biomodal_deploy.known_errors import Breadth
from biomodal_deploy.known_errors.catalog import UNLOCK, name_cause

_LONGEST_DETAIL: Final = 600
# S3 refused the lock, and when Terraform looked whose it is there was none any more.
_LET_GO: Final = re.compile(
    r"PreconditionFailed.*unable to retrieve file.*(NoSuchKey|StatusCode: 404)", re.DOTALL
)
UNSAVED_STATE: Final = "errored.tfstate"
"""Where Terraform leaves a state in its folder that it could not save."""
_MOST_NAMED: Final = 5
_NOT_DONE: Final = {
    "create": "not made",
    "update": "not updated",
    "delete": "not deleted",
    "read": "not read",
}
# It shows the errors whole.
_DIAGNOSE: Final = "biomodal-aws diagnose"


class TerraformFailed(EngineError):
    """Terraform failed.

    Attributes:
        code: A stable word where the failure is a known one (`stale_plan`, `locked`,
            `credentials`, ...), else `engine`.
        cause: The catalog's word for a known failure, finer than the code; else None.
        lock: Who holds the lock, where that is why.
    """

    def __init__(
        self,
        product: str,
        verb: str,
        diagnostics: Sequence[Diagnostic],
        *,
        returncode: int,
        log: Path | None = None,
        lock: LockInfo | None = None,
        unlock: str | None = None,
        run: ApplyRun | None = None,
    ) -> None:
        known = diagnose(diagnostics)
        self.code = known.code if known else EngineError.code
        self.cause = known.cause if known else None
        advice = known.advice if known else _DIAGNOSE if log and diagnostics else None
        # What the apply made is lost for whoever only mends what the first error is about.
        if unsaved := diagnose(each for each in diagnostics if UNSAVED_STATE in each.detail):
            advice = unsaved.advice
        if lock:
            wait = "wait until it has ended" if lock.id or lock.who else ""
            advice = "; ".join(filter(None, (wait, _unlocking(lock, unlock) if unlock else "")))
        cause = _cause(diagnostics, returncode)
        if lock:
            cause = str(lock) if self.code == "locked" else f"{cause}; {lock}"
        elif diagnostics and _LET_GO.search(diagnostics[0].detail):
            cause = "another Terraform held the state's lock, and has just let go of it"
            advice = "biomodal-aws plan, which starts from what the other one has made"
        done = f". {_done(run)}" if run else ""
        super().__init__(
            f"{product} {verb} failed: {cause.rstrip('.')}{done}",
            log=log,
            returncode=returncode,
            advice=advice,
        )
        self.verb, self.diagnostics, self.lock, self.run = verb, tuple(diagnostics), lock, run


class TerraformStopped(Interrupted):
    """Terraform was asked to stop, and has ended.

    Attributes:
        steps: What it took: an interrupt, then a termination, then a kill.
    """

    def __init__(
        self,
        product: str,
        verb: str,
        steps: Sequence[Step],
        *,
        log: Path | None = None,
        lock: LockInfo | None = None,
        unlock: str | None = None,
        unlocked: bool = False,
        run: ApplyRun | None = None,
    ) -> None:
        self.verb, self.steps, self.log = verb, tuple(steps), log
        self.lock, self.unlock, self.run = lock, unlock, run
        how = {"interrupt": "stopped", "terminate": "made to stop at once", "kill": "killed"}
        parts = [f"{product} {verb} was {how[self.steps[-1]]}."]
        if self.steps == KILL:
            parts = [f"{product} {verb} was stopped. It only reads: it has changed nothing."]
        if run:
            parts.append(f"{_done(run)}.")
        if lock:
            held = f"The state is still locked, {lock.holder}" if lock.id else f"Still, {lock}"
            parts.append(f"{held}.")
            parts.append(f"Next: {_unlocking(lock, unlock)}." if unlock else "")
        elif unlocked:
            parts.append("The state is not locked. Next: biomodal-aws plan.")
        if log:
            parts.append(f"Log: {log}")
        super().__init__(" ".join(part for part in parts if part))


def _unlocking(lock: LockInfo, unlock: str) -> str:
    # Two that write at once overwrite each other's state: what one has made is then nobody's.
    if not lock.id:
        return (
            "make sure that no Terraform works on this state (with two at once what one makes gets "
            f"lost from the state), then remove the lock: `{unlock}`"
        )
    return (
        f"if you are sure that the Terraform of {lock.who or 'whoever holds it'} runs nowhere any "
        f"more (with two at once what one makes gets lost from the state): `{unlock}`"
    )


def _cause(diagnostics: Sequence[Diagnostic], returncode: int) -> str:
    if not diagnostics:
        ended = f"signal {-returncode}" if returncode < 0 else f"status {returncode}"
        return f"it ended with {ended} and said nothing"
    first = diagnostics[0]
    where = first.address or ""
    if first.range:
        place = f"{first.range.filename}:{first.range.start.line}"
        where = f"{where}, {place}" if where else place
    # The lines that follow the first paragraph explain Terraform in general.
    detail = " ".join(first.detail.strip().split("\n\n")[0].split())
    if len(detail) > _LONGEST_DETAIL:
        detail = f"{detail[: _LONGEST_DETAIL - 1]}…"
    text = " ".join(first.summary.split())
    text = f"{text}: {detail}" if detail else text
    text = f"{text.rstrip('.')} ({where})" if where else text
    others = len(diagnostics) - 1
    return f"{text}, and {others} more error{'s' if others > 1 else ''}" if others else text


def _done(run: ApplyRun) -> str:
    if not (run.completed or run.failed or run.tainted or run.in_progress):
        return "nothing was changed"
    parts = [f"{len(run.completed)} change{'' if len(run.completed) == 1 else 's'} made"]
    if run.tainted:
        parts.append(f"created but tainted, so the next plan replaces it: {_named(run.tainted)}")
    for action in dict.fromkeys(each.action for each in run.failed):
        failed = [each for each in run.failed if each.action == action]
        parts.append(f"{_NOT_DONE.get(action, 'failed')}: {_named(failed)}")
    if run.in_progress:
        parts.append(f"begun, end unknown: {_named(run.in_progress)}")
    done = "; ".join(parts)
    return f"{done}. Never begun: {_named(run.not_begun)}" if run.not_begun else done


def _named(touched: Sequence[Touched]) -> str:
    names = [one.address for one in touched[:_MOST_NAMED]]
    more = len(touched) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


@dataclass(frozen=True)
class Diagnosis:
    """A failure that was recognised.

    Attributes:
        code: The coarser word that `error.code` has.
    """

    cause: str
    code: str
    advice: str


def diagnose(errors: Iterable[Diagnostic]) -> Diagnosis | None:
    """Return what the first recognised error means."""
    for error in errors:
        match = name_cause(f"{error.summary}\n{error.detail}")
        if match and match.entry.breadth is not Breadth.GENERAL:
            entry = match.entry
            return Diagnosis(entry.id, entry.code or EngineError.code, match.fix({UNLOCK: ""}))
    return None
