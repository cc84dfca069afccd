"""What is known of a stack: its sealed plans, its history, what changed outside Terraform."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from rich.console import Console
from rich.text import Text

from biomodal_deploy.cli.next_steps import completed
from biomodal_deploy.cli.render import Line, print_lines, print_table
from biomodal_deploy.cli.render.plan_view import attribute_lines, changed_lines
from biomodal_deploy.plan import AttributeChange, Plan, ResourceChange
from biomodal_deploy.plan.history import Chain
from biomodal_deploy.plan.history.entry import Entry
from biomodal_deploy.text import counted
from biomodal_deploy.workflow.plans import PlanRow

_STYLES = {
    "ready": "good",
    "applied": "good",
    "damaged": "bad",
    "failed": "bad",
    "unknown": "warning",
    "refused": "warning",
}

_INDENT: Final = 5


def show_plans(
    console: Console, plans: Sequence[PlanRow], *, prune: bool = False, deleted: bool = False
) -> None:
    """Print a list of sealed plans."""
    if not plans:
        none = completed("No plan yet. Next: biomodal-aws plan")
        console.print("No plan to delete." if prune else none)
        return
    now = datetime.now(UTC)
    rows = [
        (
            Text(each.stack),
            Text(each.sealed_plan),
            Text(_age(now - each.created) if each.created else ""),
            Text(each.state, style=_STYLES.get(each.state, "")),
            Text(each.does),
        )
        for each in plans
    ]
    print_table(console, ("Stack", "Plan", "Age", "State", "What it does"), rows)
    if deleted:
        console.print(f"{counted(len(plans), 'plan')} deleted.")
    elif prune:
        console.print(completed("Nothing was deleted. Next: biomodal-aws plans --prune --yes"))


def _age(age: timedelta) -> str:
    """Return `5 min`, `3 h` or `12 d`."""
    minutes = max(0, int(age.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} d"


def show_history(console: Console, chain: Chain) -> None:
    """Print the entries, and where the chain breaks."""
    if not chain.entries and not chain.broken_at:
        console.print(completed("No plan yet. Next: biomodal-aws plan"))
        return
    for entry in chain.entries:
        print_lines(console, _lines(entry))
    if chain.broken_at:
        console.print(Text(f"Broken at line {chain.broken_at}: {chain.why}", style="bad"))
    elif chain.cut_short:
        console.print(Text("The last line was cut short; the next one fixes it.", style="warning"))
    else:
        console.print(Text(f"The chain is whole; its head is {chain.head}", style="quiet"))


def _lines(entry: Entry) -> Iterator[Line]:
    """Yield an entry: what and when in one line, and below it what is long."""
    when = entry.at.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
    head = Text(f"{entry.seq:>3}  {when}  ").append(str(entry.event), "bold")
    yield Line(head.append(f"  {entry.by.who}"), _INDENT)
    if entry.sealed_plan:
        yield Line(Text(f"{'':{_INDENT}}{entry.sealed_plan}", style="quiet"), _INDENT)
    if entry.message:
        yield Line(Text(f"{'':{_INDENT}}{entry.message}"), _INDENT)


def history_data(chain: Chain) -> dict[str, object]:
    """Return a history as data for programs."""
    return {
        "entries": [entry.model_dump(mode="json") for entry in chain.entries],
        "whole": chain.broken_at is None,
        "broken_at": chain.broken_at,
        "head": chain.head,
    }


def show_drift(console: Console, stack: str, plan: Plan, *, verbose: bool = False) -> None:
    """Print each resource that is not as Terraform left it, and how it differs."""
    print_lines(console, changed_lines(plan.drifted))
    computed = [(change, found) for change in plan.drift if (found := _computed(change))]
    if verbose and computed:
        console.print("Also, filled in by AWS:")
        for change, found in computed:
            console.print(Text(f"      {change.address}", style="quiet"))
            print_lines(console, attribute_lines(found))
    if plan.drifted:
        count = counted(len(plan.drifted), "resource")
        console.print(f"{stack}: {count} changed outside Terraform.", style="bold")
    else:
        console.print(f"{stack}: everything is as Terraform left it.")


def drift_data(stack: str, plan: Plan) -> dict[str, object]:
    """Return drift as data for programs."""
    return {
        "stack": stack,
        "drift": [
            _data(change, [each for each in change.updates if each.matters])
            for change in plan.drifted
        ],
        "computed": [_data(change, found) for change in plan.drift if (found := _computed(change))],
    }


def _computed(change: ResourceChange) -> list[AttributeChange]:
    return [each for each in change.updates if not each.matters]


def _data(change: ResourceChange, attributes: Iterable[AttributeChange]) -> dict[str, object]:
    return {
        "address": change.address,
        "action": str(change.action),
        "attributes": [each.model_dump(mode="json", exclude={"matters"}) for each in attributes],
    }
