"""A plan and an apply at the command line: show what is lost, ask, run; show what is left."""

from __future__ import annotations

from dataclasses import replace

from biomodal_deploy.aws.ledger import Ledger
from biomodal_deploy.cli.next_steps import completed
from biomodal_deploy.cli.options import Format
from biomodal_deploy.cli.render import message_console, print_lines
from biomodal_deploy.cli.render.applies import show_start
from biomodal_deploy.cli.render.costs import cost_summary
from biomodal_deploy.cli.render.plan_view import address_lines
from biomodal_deploy.cli.render.sealed_plans import sealed_plan_data, show_ledger, show_sealed_plan
from biomodal_deploy.cli.session import Session, emit
from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS, EXIT_GUARD, EngineError
from biomodal_deploy.plan import PlanKind
from biomodal_deploy.plan.sealed import SealedPlan
from biomodal_deploy.workflow.applying import Applied, Ready, prepare
from biomodal_deploy.workflow.approving import approval_status
from biomodal_deploy.workflow.destroying import list_leftovers, take_ledger
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.planning import Planned, make_plan
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.variables import PlanRequest


def apply_asking(
    work: Session,
    stack: Stack,
    sealed_plan: SealedPlan,
    *,
    name: str | None,
    expect_sha256: str | None = None,
    ledger: Ledger | None = None,
    announce: bool = False,
) -> Applied:
    """Apply a sealed plan, once the stack's name was typed where something is lost.

    Args:
        name: What `--confirm` said; nobody is asked then.
        ledger: The ledger, where plan and ledger were shown already.
        announce: Print what is applied and where, once nothing refuses it.
    """
    shown = ledger is not None
    ready = prepare(stack, sealed_plan, expect_sha256=expect_sha256)
    if announce:
        work.progress.pause()
        show_start(message_console(), sealed_plan)
    is_destroy = sealed_plan.manifest.kind is PlanKind.DESTROY
    if ready.must_be_confirmed:
        # Only here, behind all checks: before them, the credentials may be another account's.
        if is_destroy and ledger is None:
            ledger = _show_ledger(work, ready)
        if name is None:
            name = _ask_name(work, ready, shown=shown)
    try:
        applied = ready.run(name)
    except EngineError:
        if ledger:
            line = f"What it held, and what solves it: biomodal-aws show {sealed_plan.id}"
            work.progress.notice(completed(line))
        raise
    remains = list_leftovers(stack, applied.sealed_plan, ready.plan) if is_destroy else None
    return replace(applied, ledger=ledger, remains=remains)


def _show_ledger(work: Session, ready: Ready) -> Ledger:
    ledger = take_ledger(ready.stack, ready.sealed_plan, ready.plan)
    work.progress.pause()
    show_ledger(message_console(), ledger)
    return ledger


def _ask_name(work: Session, ready: Ready, *, shown: bool) -> str | None:
    work.progress.pause()
    console = message_console()
    if not shown:
        console.print(f"These resources of {ready.stack.name} go:")
        print_lines(console, address_lines(ready.plan.losses))
    return work.ask(f"Type the stack's name ({ready.stack.name}) to go on: ")


def plan_stack(stack: Stack, request: PlanRequest) -> tuple[Planned, Ledger | None]:
    """Make and seal a plan, and read what the stack holds where that is to be destroyed."""
    planned = make_plan(stack, request)
    if request.kind is PlanKind.DESTROY:
        return planned, take_ledger(stack, planned.sealed_plan, planned.plan)
    return planned, None


def show_planned(
    location: Location,
    planned: Planned,
    ledger: Ledger | None,
    *,
    output: Format,
    full: bool,
    detailed_exitcode: bool,
) -> int:
    """Print a sealed plan that was just made, and return the exit status."""
    sealed_plan, plan = planned.sealed_plan, planned.plan
    approvals = approval_status(location, sealed_plan)
    changed = detailed_exitcode and sealed_plan.manifest.has_changes
    status = EXIT_FINDINGS if changed else EXIT_DONE
    return emit(
        sealed_plan_data(sealed_plan, plan, ledger, approvals=approvals),
        lambda console: show_sealed_plan(
            console,
            sealed_plan,
            plan,
            ledger,
            full=full,
            cost=cost_summary(plan, sealed_plan.manifest, location.project_dir),
            approvals=approvals,
        ),
        output,
        EXIT_GUARD if planned.refusals else status,
    )
