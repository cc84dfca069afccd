"""What changed outside Terraform."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from biomodal_deploy.cli.render.console import print_lines
from biomodal_deploy.cli.render.plan_view import attribute_lines, changed_lines
from biomodal_deploy.plan import AttributeChange, Plan, ResourceChange
from biomodal_deploy.text import counted


def show_drift(console: Console, stack: str, plan: Plan, *, verbose: bool = False) -> None:
    """Print each resource that is not as Terraform left it, and how it differs.

    Args:
        console: Where to.
        stack: The stack.
        plan: The plan that was made to find it.
        verbose: Print what AWS filled in by itself as well.
    """
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
