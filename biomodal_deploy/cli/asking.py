"""Asking for the stack's name before something that exists is lost."""

from __future__ import annotations

from biomodal_deploy.cli.render.console import message_console
from biomodal_deploy.cli.render.plan_view import show_addresses
from biomodal_deploy.cli.session import Session
from biomodal_deploy.plan import Plan
from biomodal_deploy.plan.sealed import Bundle
from biomodal_deploy.workflow.applying import Confirm
from biomodal_deploy.workflow.confirming import check_name


def asking(work: Session, given: str | None) -> Confirm:
    """Return what asks a person for the stack's name, having shown every address that goes.

    Args:
        work: The command at work.
        given: What `--confirm` said; nobody is asked then.
    """

    def confirm(bundle: Bundle, plan: Plan) -> None:
        stack = bundle.manifest.facts.stack
        typed = given
        if given is None:
            work.progress.pause()
            console = message_console()
            console.print(f"These resources of {stack} go:")
            show_addresses(console, plan.losses)
            typed = work.ask(f"Type the stack's name ({stack}) to go on: ")
        check_name(bundle, plan, typed)

    return confirm
