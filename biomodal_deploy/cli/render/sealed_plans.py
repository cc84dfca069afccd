"""A sealed plan, on screen and as data; around a destroy what a stack holds and what is left."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.text import Text

from biomodal_deploy.aws.ledger import Fate, Holding, Ledger, Leftover, Leftovers
from biomodal_deploy.cli.next_steps import completed
from biomodal_deploy.cli.render import Line, print_lines
from biomodal_deploy.cli.render.plan_view import PlanView, place_lines
from biomodal_deploy.plan import Plan, PlanKind
from biomodal_deploy.plan.guards import Outcome, Verdict
from biomodal_deploy.plan.sealed import SealedPlan, UseState
from biomodal_deploy.plan.sealed.approvals import ApprovalStatus
from biomodal_deploy.review.report.building import report_of
from biomodal_deploy.review.report.plan_json import plan_data
from biomodal_deploy.text import counted

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


_ORDER: Final = {
    Fate.STOPS: ("stops", "bad"),
    Fate.MAY_STOP: ("may stop", "warning"),
    Fate.LOST: ("lost", "delete"),
    Fate.STAYS: ("stays", "update"),
    Fate.UNKNOWN: ("unknown", "warning"),
    Fate.GONE: ("gone", "quiet"),
    Fate.EMPTY: ("empty", "quiet"),
}
_WIDTH: Final = 13
_NAMES: Final = {
    "bucket": "bucket s3://",
    "vm": "VM ",
    "job-queue": "job queue ",
    "elastic-ip": "elastic IP ",
    "log-group": "log group ",
    "termination-protection": "VM ",
    "stop-protection": "VM ",
}
# What is of others is told by number: an account may have hundreds.
_OTHERS: Final = 5


def show_ledger(console: Console, ledger: Ledger) -> None:
    """Print what a stack holds, what stops its destroy first."""
    console.print()
    heading = Text(f"What {ledger.stack} holds", style="bold")
    console.print(heading.append(f"  {ledger.region or ''}", style="quiet"))
    for fate in _ORDER:
        for holding in ledger.of(fate):
            for line in _holding(holding):
                # A terminal may wrap it; we must not, or a command could not be copied whole.
                console.print(line, soft_wrap=True)
    console.print(_sum_of(ledger), soft_wrap=True)
    console.print()


def show_leftovers(console: Console, left: Leftovers) -> None:
    """Print what is left, each with the commands that remove it, and the verdict."""
    ours = [each for each in left.left if each.ours]
    others = [each for each in left.left if not each.ours]
    if left.left or left.unread:
        heading = Text(f"What is left of {left.stack}", style="bold")
        console.print(heading.append(f"  {left.region or ''}", style="quiet"))
    for each in ours:
        word, style = ("bills", "warning") if each.bills else ("costs nothing", "quiet")
        for line in _left(each, word, style):
            console.print(line, soft_wrap=True)
    for unread in left.unread:
        line = Text("  unknown".ljust(_WIDTH + 2), style="warning")
        fix = f". Fix: {unread.fix}" if unread.fix else ""
        console.print(line.append(f" {unread.what}: {unread.line}{fix}", style=""), soft_wrap=True)
    if others:
        line = Text("Whose these are, only you know: they carry the same tag, as others may.")
        console.print(line, style="quiet")
        for each in others[:_OTHERS]:
            for line in _left(each, "same tag", "quiet"):
                console.print(line, soft_wrap=True)
        if len(others) > _OTHERS:
            console.print(f"  and {len(others) - _OTHERS} more: -o json has all", style="quiet")
    sentence = left.sentence()
    style = "good" if left.clean else "warning"
    console.print(Text(f"{sentence[0].upper()}{sentence[1:]}.", style=style), soft_wrap=True)


def _holding(holding: Holding) -> Iterator[Text]:
    word, style = _ORDER[holding.fate]
    name = f"{_NAMES.get(holding.kind, f'{holding.kind} ')}{holding.name}"
    yield Text.assemble("  ", (word.ljust(_WIDTH), style), f"{name}: {holding.line}")
    yield from (Text(" " * (_WIDTH + 4) + each) for each in holding.fixes)


def _left(left: Leftover, word: str, style: str) -> Iterator[Text]:
    name = f"{_NAMES.get(left.kind, left.kind.replace('-', ' ') + ' ')}{left.name}"
    yield Text.assemble("  ", (word.ljust(_WIDTH), style), f" {name}: {left.line}")
    yield from (Text(" " * (_WIDTH + 4) + each) for each in left.commands)


def _sum_of(ledger: Ledger) -> Text:
    stops, unknown = len(ledger.of(Fate.STOPS)), len(ledger.of(Fate.UNKNOWN))
    if not ledger.holdings:
        return Text("Nothing that could be lost: the state holds no such thing.", style="good")
    parts = []
    if stops:
        verb = "makes" if stops == 1 else "make"
        parts.append(f"{counted(stops, 'thing')} {verb} the destroy fail halfway")
    if may := len(ledger.of(Fate.MAY_STOP)):
        parts.append(f"{counted(may, 'thing')} may make it fail")
    if lost := len(ledger.of(Fate.LOST)):
        parts.append(f"{lost} lost with it")
    if stays := len(ledger.of(Fate.STAYS)):
        parts.append(f"{stays} not touched")
    if unknown:
        parts.append(f"{unknown} that nobody could tell of")
    if not parts:
        return Text("Nothing in it would be lost.", style="good")
    return Text(f"{'; '.join(parts)}.", style="bad" if stops else "warning")
