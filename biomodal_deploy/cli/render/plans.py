"""A list of sealed plans, on screen and as data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import AwareDatetime
from rich.console import Console
from rich.table import Table
from rich.text import Text

from biomodal_deploy.cli.next_steps import completed
from biomodal_deploy.plan import PlanKind
from biomodal_deploy.plan.changes import Data
from biomodal_deploy.text import counted
from biomodal_deploy.workflow.plans import ListedPlan

_STYLES = {
    "ready": "good",
    "applied": "good",
    "damaged": "bad",
    "failed": "bad",
    "unknown": "warning",
    "refused": "warning",
}


class PlanRow(Data):
    """One sealed plan; of a damaged one, what is in its manifest is null.

    Attributes:
        stack: The stack that it is for.
        sealed_plan: Its id.
        path: Its folder.
        state: `ready`, `no changes`, `refused`, `overtaken`, `expired`, `damaged`, `running`,
            `unknown`, `applied`, `failed` or `interrupted`.
        does: What it does, in one line.
        kind: `apply`, `destroy` or `refresh-only`.
        created: When it was made.
        expires: Until when it may be applied.
        prunable: Whether `--prune` deletes it.
    """

    stack: str
    sealed_plan: str
    path: str
    state: str
    does: str
    kind: PlanKind | None
    created: AwareDatetime | None
    expires: AwareDatetime | None
    prunable: bool


class PlansData(Data):
    """The sealed plans of a project.

    Attributes:
        plans: Each stack's, the newest first; under `--prune` those that are over.
        deleted: Whether these were deleted.
    """

    plans: tuple[PlanRow, ...]
    deleted: bool


def show_plans(
    console: Console, plans: Sequence[ListedPlan], *, prune: bool = False, deleted: bool = False
) -> None:
    """Print a list of sealed plans.

    Args:
        console: Where to.
        plans: The plans.
        prune: Whether they are those to delete.
        deleted: Whether they are deleted by now.
    """
    if not plans:
        none = completed("No plan yet. Next: biomodal-aws plan")
        console.print("No plan to delete." if prune else none)
        return
    now = datetime.now(UTC)
    table = Table(box=None, pad_edge=False)
    for heading in ("Stack", "Plan", "Age", "State"):
        table.add_column(heading, no_wrap=True)
    table.add_column("What it does", overflow="fold")
    for each in plans:
        made = each.sealed_plan.manifest.created if each.sealed_plan else None
        table.add_row(
            Text(each.stack),
            each.path.name,
            _age(now - made) if made else "",
            Text(each.state, style=_STYLES.get(each.state, "")),
            Text(each.does),
        )
    console.print(table)
    if deleted:
        console.print(f"{counted(len(plans), 'plan')} deleted.")
    elif prune:
        console.print(completed("Nothing was deleted. Next: biomodal-aws plans --prune --yes"))


def plans_data(plans: Sequence[ListedPlan], *, deleted: bool) -> dict[str, Any]:
    """Return a list of sealed plans as data for programs."""
    return PlansData(plans=tuple(map(_row, plans)), deleted=deleted).model_dump(mode="json")


def _row(each: ListedPlan) -> PlanRow:
    manifest = each.sealed_plan.manifest if each.sealed_plan else None
    return PlanRow(
        stack=each.stack,
        sealed_plan=each.path.name,
        path=str(each.path),
        state=each.state,
        does=each.does,
        kind=manifest.kind if manifest else None,
        created=manifest.created if manifest else None,
        expires=manifest.expires if manifest else None,
        prunable=each.prunable,
    )


def _age(age: timedelta) -> str:
    """Return `5 min`, `3 h` or `12 d`."""
    minutes = max(0, int(age.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} d"
