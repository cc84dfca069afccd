"""A sealed plan, on screen and as data."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.text import Text

from biomodal_deploy.aws.ledger.model import Ledger, Leftovers
from biomodal_deploy.cli.next_steps import completed
from biomodal_deploy.cli.render.console import Line, print_lines
from biomodal_deploy.cli.render.ledger import show_ledger, show_leftovers
from biomodal_deploy.cli.render.plan_view import PlanView, place_lines
from biomodal_deploy.plan import Plan, PlanKind
from biomodal_deploy.plan.guards import Outcome, Verdict
from biomodal_deploy.plan.sealed import SealedPlan, UseState
from biomodal_deploy.plan.sealed.approvals import ApprovalStatus
from biomodal_deploy.review.report import report_of
from biomodal_deploy.review.report.data import plan_data

_STYLES = {
    Outcome.REFUSED: ("refused", "bad"),
    Outcome.ALLOWED: ("allowed", "warning"),
    Outcome.NOTICE: ("notice", "warning"),
}
_KINDS = {
    PlanKind.APPLY: "Plan",
    PlanKind.DESTROY: "Destroy plan",
    PlanKind.REFRESH_ONLY: "Refresh-only plan",
}


def show_sealed_plan(
    console: Console,
    sealed_plan: SealedPlan,
    plan: Plan,
    ledger: Ledger | None = None,
    remains: Leftovers | None = None,
    *,
    full: bool = False,
    cost: str | None = None,
    approvals: ApprovalStatus | None = None,
) -> None:
    """Print a sealed plan, of a destroy plan also its ledger, and what to do with it."""
    manifest = sealed_plan.manifest
    report = report_of(plan, manifest, sealed_plan.sha256, whole=full)
    title = f"{_KINDS[manifest.kind]} for {manifest.facts.stack}"
    print_lines(console, place_lines(title, report.place))
    print_lines(console, PlanView(report, full=full).lines())
    console.print()
    refusals = [each for each in manifest.verdicts if each.outcome is Outcome.REFUSED]
    for verdict in manifest.verdicts:
        if verdict.outcome in _STYLES:
            word, style = _STYLES[verdict.outcome]
            line = Text.assemble((f"{word}: ", style), verdict.message)
            print_lines(console, [Line(line, 2)])
    if ledger:
        show_ledger(console, ledger)
    if remains:
        show_leftovers(console, remains)
        console.print()
    if cost:
        print_lines(console, [Line(Text(cost), 2)])
    console.print(Text(_counts(plan), style="bold"))
    for name, value in (
        ("plan", sealed_plan.id),
        ("sha256", sealed_plan.sha256),
        ("folder", sealed_plan.path),
    ):
        line = Text(f"{name}  {value}", style="quiet" if name == "folder" else "")
        console.print(line, soft_wrap=True)
    if approvals:
        show_approvals(console, approvals)
    missing = bool(approvals and approvals.missing)
    # A terminal may wrap it; we must not, or it could not be copied whole.
    for step in _next_step(sealed_plan, refusals, missing=missing):
        console.print(Text(step), soft_wrap=True)


def show_approvals(console: Console, status: ApprovalStatus) -> None:
    """Print who approved a plan, whose approval does not count, and how many there are."""
    for each in status.approvals:
        print_lines(console, [Line(Text(each.line, style="good" if each.counts else "warning"), 2)])
    if status.problem:
        print_lines(console, [Line(Text(status.problem, style="warning"), 2)])
    console.print(f"{status.count} approvals")


def sealed_plan_data(
    sealed_plan: SealedPlan,
    plan: Plan,
    ledger: Ledger | None = None,
    approvals: ApprovalStatus | None = None,
) -> dict[str, object]:
    """Return a sealed plan as data for programs; of a destroy plan also its ledger."""
    report = report_of(plan, sealed_plan.manifest, sealed_plan.sha256)
    more = {"ledger": ledger, "approvals": approvals}
    return plan_data(sealed_plan, report.model_copy(update=more))


def _counts(plan: Plan) -> str:
    sentence = plan.counts.sentence()
    if sentence == "no changes" and plan.has_changes:
        return "Only the state changes: it takes up what changed outside Terraform."
    return "No changes." if sentence == "no changes" else f"Plan: {sentence}."


def _next_step(
    sealed_plan: SealedPlan, refusals: Sequence[Verdict], *, missing: bool
) -> Iterator[str]:
    manifest, stack = sealed_plan.manifest, sealed_plan.manifest.facts.stack
    again = completed(f"Next: biomodal-aws plan --stack {shlex.quote(stack)}")
    if sealed_plan.use.state is not UseState.UNUSED:
        yield f"This plan is used: {sealed_plan.use.sentence()}."
    elif refusals:
        yield "A guard refuses this plan: it cannot be applied."
        losses = [each for each in refusals if each.rule in ("protected", "vanished")]
        if losses and manifest.kind is PlanKind.DESTROY:
            yield "If that loss is meant, this asks for the stack's name and destroys it:"
            yield completed(f"  biomodal-aws destroy --stack {shlex.quote(stack)}")
        elif losses:
            # One to copy: a whole environment is lost by many addresses.
            flags = (f"--allow-destroy {shlex.quote(each.address or '')}" for each in losses)
            yield f"If that loss is meant, plan again with: {' '.join(flags)}"
        if len(losses) < len(refusals):
            yield "Correct what is refused, then plan again."
            yield again
    elif manifest.is_expired(datetime.now(UTC)):
        yield "This plan has expired."
        yield again
    elif not manifest.has_changes:
        yield "There is nothing to apply."
    else:
        until = manifest.expires.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
        yield f"Good for one apply until {until}."
        command = "approve" if missing else "apply"
        step = f"biomodal-aws {command} {sealed_plan.id} --stack {shlex.quote(stack)}"
        yield completed(f"Next: {step}")
