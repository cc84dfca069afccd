"""The report in one line, and what it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from biomodal_deploy.plan import Plan, PlanKind
from biomodal_deploy.plan.guards import Outcome
from biomodal_deploy.plan.guards import Verdict as Guarded
from biomodal_deploy.review.report.access.judging import AccessChange, gains_sentence
from biomodal_deploy.review.report.model import Blocker, Level, Verdict
from biomodal_deploy.text import counted

_LEADS: Final = {
    Level.BLOCKED: "Refused",
    Level.CAREFUL: "Review with care",
    Level.ROUTINE: "Routine",
    Level.NOTHING: "Nothing to apply",
}
_KINDS: Final = {
    PlanKind.APPLY: "",
    PlanKind.DESTROY: " (a destroy plan)",
    PlanKind.REFRESH_ONLY: " (refresh-only)",
}


def blockers_of(plan: Plan, verdicts: Sequence[Guarded]) -> Iterator[Blocker]:
    """Yield why a plan is refused, and the checks that failed."""
    for verdict in verdicts:
        if verdict.outcome is Outcome.REFUSED:
            yield Blocker(rule=verdict.rule, message=verdict.message, address=verdict.address)
    # A plan that was sealed without its guards says it all the same.
    if not any(verdict.rule == "known-actions" for verdict in verdicts):
        for line in plan.unknown_actions:
            message = f"An action that is not known here is never applied: {line}."
            yield Blocker(rule="known-actions", message=message)
    for check in plan.failed_checks:
        problems = "; ".join(check.problems) or check.status
        yield Blocker(
            rule="check", message=f"failed: {problems}", address=check.address, refuses=False
        )


def verdict_of(
    plan: Plan, kind: PlanKind, blockers: Sequence[Blocker], access: Sequence[AccessChange]
) -> Verdict:
    """Return what a reviewer should know first."""
    points = tuple(_points(plan, blockers, access))
    if any(blocker.refuses for blocker in blockers):
        level = Level.BLOCKED
    elif points:
        level = Level.CAREFUL
    else:
        level = Level.ROUTINE if plan.has_changes else Level.NOTHING
    what = plan.counts.sentence()
    if what == "no changes" and plan.has_changes:
        what = "only the state takes up what changed outside Terraform"
    return Verdict(level=level, line=f"{_LEADS[level]}{_KINDS[kind]}: {what}.", points=points)


def _points(
    plan: Plan, blockers: Sequence[Blocker], access: Sequence[AccessChange]
) -> Iterator[str]:
    refusals = sum(blocker.refuses for blocker in blockers)
    if refusals:
        yield f"{counted(refusals, 'refusal')} by guards"
    counts = plan.counts
    if counts.unknown:
        yield f"{counted(counts.unknown, 'action')} not understood"
    if counts.failed_checks:
        yield f"{counted(counts.failed_checks, 'failed check')}"
    gains = [gain for change in access for gain in change.gains]
    for alarm, what in (
        ("anyone", "opening to everybody on the internet"),
        ("everything", "permission for everything"),
    ):
        number = sum(gain.alarm == alarm for gain in gains)
        if number:
            yield counted(number, what) if alarm == "everything" else _openings(number)
    if gains:
        yield f"access gained: {gains_sentence(gains)}"
    losses = ((counts.delete, "destroyed"), (counts.replace, "replaced"))
    if counts.delete or counts.replace:
        yield ", ".join(f"{number:,} {what}" for number, what in losses if number)
    if counts.forget:
        yield f"{counts.forget:,} forgotten: they go on, and nobody manages them"
    if counts.drift:
        yield f"{counted(counts.drift, 'resource')} changed outside Terraform"


def _openings(number: int) -> str:
    return f"{counted(number, 'opening')} to everybody on the internet"
