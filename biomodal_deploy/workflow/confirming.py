"""The stack's name, typed: what stands between a plan and the loss of something that exists."""

from __future__ import annotations

from biomodal_deploy.errors import GuardRefused
from biomodal_deploy.plan import Plan
from biomodal_deploy.plan.sealed import Bundle
from biomodal_deploy.text import counted
from biomodal_deploy.workflow.applying import Confirm


def confirmed_by(name: str | None) -> Confirm:
    """Return what lets a plan pass where the stack's name was given.

    Args:
        name: What was typed, or given with `--confirm`; None for nothing.
    """

    def confirm(bundle: Bundle, plan: Plan) -> None:
        check_name(bundle, plan, name)

    return confirm


def check_name(bundle: Bundle, plan: Plan, name: str | None) -> None:
    """Refuse a plan that loses something unless the stack's name was given.

    Raises:
        GuardRefused: Another name was given, or none.
    """
    stack = bundle.manifest.facts.stack
    if name == stack:
        return
    count = counted(len(plan.losses), "resource")
    given = f'"{name}" is not its name' if name else "nobody can be asked here"
    raise GuardRefused(
        f"The plan {bundle.id} deletes, replaces or forgets {count} of {stack}, and "
        f"{given}. If that is meant: --confirm {stack}"
    )
