"""An apply at the command line: show what is lost, ask, run; after a destroy, show what is left."""

from __future__ import annotations

from dataclasses import dataclass

from biomodal_deploy.aws.ledger.model import Ledger, Leftovers
from biomodal_deploy.cli.next_steps import completed
from biomodal_deploy.cli.render.applies import show_start
from biomodal_deploy.cli.render.console import message_console, print_lines
from biomodal_deploy.cli.render.ledger import show_ledger
from biomodal_deploy.cli.render.plan_view import address_lines
from biomodal_deploy.cli.session import Session
from biomodal_deploy.errors import EngineError
from biomodal_deploy.plan import PlanKind
from biomodal_deploy.plan.sealed import SealedPlan
from biomodal_deploy.workflow.applying import Applied, Ready, prepare
from biomodal_deploy.workflow.destroying import list_leftovers, take_ledger
from biomodal_deploy.workflow.stack import Stack


@dataclass(frozen=True, kw_only=True)
class Finished:
    """An apply, and the ledger around it where it was a destroy."""

    applied: Applied
    ledger: Ledger | None = None
    remains: Leftovers | None = None


def apply_asking(
    work: Session,
    stack: Stack,
    sealed_plan: SealedPlan,
    *,
    name: str | None,
    expect_sha256: str | None = None,
    ledger: Ledger | None = None,
    announce: bool = False,
) -> Finished:
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
    remains = None
    if is_destroy:
        remains = list_leftovers(stack, applied.sealed_plan, ready.plan)
    return Finished(applied=applied, ledger=ledger, remains=remains)


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
