"""A plan on screen: what goes first, then what changes, then what comes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from rich.console import Console
from rich.text import Text

from biomodal_deploy.plan import Action, AttributeChange, Plan, ResourceChange
from biomodal_deploy.text import counted

_SIGNS: Final = {
    Action.DELETE: ("-", "delete"),
    Action.REPLACE: ("-/+", "replace"),
    Action.REPLACE_CREATE_FIRST: ("+/-", "replace"),
    Action.REPLACE_AND_FORGET: ("+/.", "replace"),
    Action.FORGET: (".", "forget"),
    Action.UNKNOWN: ("?", "bad"),
    Action.UPDATE: ("~", "update"),
    Action.CREATE: ("+", "create"),
    Action.READ: ("<=", "read"),
    Action.NO_OP: (" ", "quiet"),
}
_ORDER: Final = list(_SIGNS)
_SHOWN_CHARACTERS: Final = 160


def show_plan(console: Console, plan: Plan, *, records_drift: bool = False) -> None:
    """Print every change, its cause, and what it changes.

    Args:
        console: Where to.
        plan: The plan.
        records_drift: It is a refresh-only plan, and takes up all that changed outside Terraform.
    """
    for change in sorted(plan.changes, key=lambda each: _ORDER.index(each.action)):
        console.print(_headline(change))
        # Creations and deletions are whole objects: their address says it, and the report has all.
        if change.action in (Action.UPDATE, Action.REPLACE, Action.REPLACE_CREATE_FIRST):
            show_attributes(console, change.attributes)
    for output in plan.output_changes:
        if output.action.acts:
            sign, style = _SIGNS[output.action]
            console.print(Text(f"{sign:>5} output {output.name}", style=style))
    for part in plan.unknown_actions:
        console.print(Text(f"    ? not understood, never applied: {part}", style="bad"))
    for check in plan.failed_checks:
        problems = "; ".join(check.problems)
        console.print(Text(f"    ! check {check.address}: {problems}", style="warning"))
    console.print(Text(_sentence(plan), style="bold"))
    acted_on = {change.address for change in plan.changes}
    others = [change for change in plan.drifted if change.address not in acted_on]
    if others and not records_drift:
        line = (
            f"{counted(len(others), 'resource')} changed outside Terraform in ways that this plan "
            "does not act on: biomodal-aws drift shows them."
        )
        console.print(Text(line, style="warning"))


def show_addresses(console: Console, changes: Iterable[ResourceChange]) -> None:
    """Print addresses alone, one a line, as they go."""
    for change in changes:
        console.print(_headline(change))


def _headline(change: ResourceChange) -> Text:
    sign, style = _SIGNS[change.action]
    line = Text(f"{sign:>5} ", style=style).append(change.address)
    if change.deposed:
        line.append(f" (old object {change.deposed})", style="quiet")
    if change.moved:
        line.append(f" moved from {change.previous_address}", style="update")
    if change.imported:
        line.append(f" imported from {change.import_id or 'an id not yet known'}", style="update")
    if change.reason:
        line.append(f"  {change.reason.replace('_', ' ')}", style="quiet")
    return line


def show_attributes(console: Console, attributes: Iterable[AttributeChange]) -> None:
    """Print what changes within one object."""
    for attribute in attributes:
        line = Text(f"          {attribute.path}: ", style="quiet")
        line.append(f"{_value(attribute.before)} -> {_value(attribute.after)}", style="default")
        if attribute.forces_replacement:
            line.append("  forces replacement", style="replace")
        console.print(line)


def _sentence(plan: Plan) -> str:
    sentence = plan.counts.sentence()
    if sentence == "no changes" and plan.has_changes:
        return "Only the state changes: it takes up what changed outside Terraform."
    return "No changes." if sentence == "no changes" else f"Plan: {sentence}."


def _value(value: object) -> str:
    text = value if value in ("(sensitive value)", "(known after apply)") else json.dumps(value)
    text = str(text)
    if len(text) <= _SHOWN_CHARACTERS:
        return text
    return f"{text[:_SHOWN_CHARACTERS]}... ({len(text)} characters)"
