"""A sealed plan is good for one apply: claimed before it starts, its outcome written after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import AwareDatetime

from biomodal_deploy.errors import SealedPlanRefused
from biomodal_deploy.files import replace, write_new
from biomodal_deploy.plan.sealed.facts import Actor, Line, Sealed, one_line
from biomodal_deploy.plan.sealed.files import read_model
from biomodal_deploy.text import moment

CLAIM_FILE: Final = "consumed.json"
OUTCOME_FILE: Final = "outcome.json"
_MOST_BYTES: Final = 100_000


class UseState(StrEnum):
    """What became of a sealed plan.

    RUNNING: the process that applies it lives. UNKNOWN: it was started, and the process that did
    so is gone, or lives on another machine, without saying how it ended.
    """

    UNUSED = "unused"
    RUNNING = "running"
    UNKNOWN = "unknown"
    APPLIED = "applied"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


ENDED: Final = frozenset({UseState.APPLIED, UseState.FAILED, UseState.INTERRUPTED})


class Claim(Sealed):
    """Who applies it, since when."""

    at: AwareDatetime
    by: Actor


class Outcome(Sealed):
    """How the apply ended."""

    state: UseState
    at: AwareDatetime
    message: Line = ""


@dataclass(frozen=True)
class Use:
    """What is known of a sealed plan's use.

    Attributes:
        claim: None for an unused one, and for one whose claim cannot be read.
        outcome: None until the apply has ended.
    """

    state: UseState
    claim: Claim | None = None
    outcome: Outcome | None = None

    def sentence(self) -> str:
        """Say what became of it, when and by whom."""
        if self.state is UseState.UNUSED:
            return "not used yet"
        since = f" since {moment(self.claim.at)}" if self.claim else ""
        by = f" by {self.claim.by.who} (process {self.claim.by.pid})" if self.claim else ""
        if self.outcome:
            at = moment(self.outcome.at)
            return f"{self.state} at {at}{by}"
        if self.state is UseState.RUNNING:
            return f"being applied{since}{by}"
        at = f" at {moment(self.claim.at)}" if self.claim else ""
        return f"started{at}{by}, and how it ended is unknown"


def use_of(folder: Path) -> Use:
    """Return what became of a sealed plan."""
    claim_file = folder / CLAIM_FILE
    if not (claim_file.is_symlink() or claim_file.exists()):
        return Use(UseState.UNUSED)
    # One that cannot be read is still a claim: a crash may have cut it short.
    claim = read_model(claim_file, Claim, _MOST_BYTES)
    outcome = read_model(folder / OUTCOME_FILE, Outcome, _MOST_BYTES)
    if outcome and outcome.state in ENDED:
        return Use(outcome.state, claim, outcome)
    running = claim.by.is_running() if claim else None
    return Use(UseState.RUNNING if running else UseState.UNKNOWN, claim)


def consume(folder: Path, *, now: datetime | None = None) -> Claim:
    """Claim a sealed plan for the one apply that it is good for.

    The file system decides who was first, so of any number at once exactly one passes. If the
    process dies after this, the plan stays used: whether Terraform began is not known then.

    Raises:
        SealedPlanRefused: It is used; the line says when, by whom and how that ended.
        UsageError: The claim cannot be written; the plan stays unused.
    """
    claim = Claim(at=now or datetime.now(UTC), by=Actor.me())
    if write_new(folder / CLAIM_FILE, claim.model_dump_json(indent=2).encode() + b"\n"):
        return claim
    raise used(folder)


def used(folder: Path) -> SealedPlanRefused:
    """Return the refusal of a sealed plan that is used."""
    use = use_of(folder)
    word = {UseState.RUNNING: "in_use", UseState.UNKNOWN: "outcome_unknown"}.get(use.state, "used")
    line = f"The plan {folder.name} is used: {use.sentence()}. Plan again."
    return SealedPlanRefused(word, line)


def record_outcome(folder: Path, state: UseState, message: str = "") -> Outcome:
    """Write how the apply of a sealed plan ended."""
    if state not in ENDED:
        raise ValueError(state)
    outcome = Outcome(state=state, at=datetime.now(UTC), message=one_line(message))
    replace(folder / OUTCOME_FILE, outcome.model_dump_json(indent=2).encode() + b"\n")
    return outcome
