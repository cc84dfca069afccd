"""What an environment costs, as an account of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from biomodal_deploy.cli.next_steps import completed
from biomodal_deploy.errors import UsageError
from biomodal_deploy.plan import Plan
from biomodal_deploy.plan.sealed import Manifest
from biomodal_deploy.review.cost import STALE_DAYS, Prices
from biomodal_deploy.review.cost.estimate import Estimate, Line, estimate
from biomodal_deploy.review.cost.resources import Stored

_UNKNOWN: Final = "unknown"


def show_cost(console: Console, manifest: Manifest, estimated: Estimate, today: date) -> None:
    """Print what runs idle, the busiest hour, work, data, and what the plan changes of them."""
    console.print(f"{manifest.facts.stack}, {estimated.region}, by plan {manifest.id}")
    console.print("US dollars, without tax\n")
    _account(console, "Idle, a month", estimated.idle)
    _account(console, "Busiest hour, at most", estimated.busiest)
    if (work := estimated.work) is not None:
        title = f"Work of {work.core_hours:,} core hours"
        rows = [("On-Demand, cheapest to dearest family", "", _between(work.least, work.most))]
        if work.spot is not None:
            rows += [("Spot, dearest family and zone now", "", _money(work.spot))]
        else:
            rows += [("Spot: less than On-Demand; --refresh looks it up", "", "")]
        _table(console, title, "", rows)
    if estimated.storage:
        rows = [(each.what, "", _stored(each)) for each in estimated.storage]
        _table(console, "Data in the bucket, for each TB", "", rows)
    rows = [(each.what, "", _money(each.amount)) for each in estimated.per_gb]
    _table(console, "Besides", "", rows)
    for line in cost_lines(estimated):
        console.print(Text(line))
    if (budget := estimated.proposed_budget) is not None:
        console.print(f"A budget for this work and the idle month: monthly_budget_usd = {budget}")
    console.print(Text(f"Not counted: {', '.join(estimated.not_counted)}.", style="quiet"))
    if estimated.oldest is not None:
        old = estimated.is_stale(today)
        text = f"The oldest price is of {estimated.oldest}"
        more = f", more than {STALE_DAYS} days ago. Today's: {_refresh()}"
        console.print(Text(text + (more if old else "."), style="warning" if old else "quiet"))


def cost_lines(estimated: Estimate) -> list[str]:
    """Return what the plan changes, in one line, and what has no known price."""
    before, after = estimated.before, estimated.after
    lines = [
        f"This plan: {_change('a month while idle', before.month, after.month)}",
        f"           {_change('in the busiest hour at most', before.hour, after.hour)}",
    ]
    if estimated.unpriced:
        lines.append(
            f"Without a known price, and in no sum: {', '.join(estimated.unpriced)}. "
            f"To look them up: {_refresh()}"
        )
    return lines


def cost_summary(plan: Plan, manifest: Manifest, project: Path) -> str | None:
    """Return in one line what a plan changes of the cost; None where it changes nothing of it."""
    try:
        prices = Prices.of(manifest.facts.region or "", project)
    except UsageError as error:
        return f"Cost: unknown. {error}"
    found = estimate(plan, prices)
    before, after = found.before, found.after
    if found.unpriced and not after.month and not after.hour:
        return f"Cost: unknown, no price of it is known. Next: {_refresh()}"
    if before == after:
        return None
    least = f", and what has no known price ({len(found.unpriced)})" if found.unpriced else ""
    return (
        f"Cost: {_change('US dollars a month while idle', before.month, after.month)}, "
        f"{_change('in the busiest hour at most', before.hour, after.hour)}{least}"
    )


def cost_data(manifest: Manifest, estimated: Estimate, today: date) -> dict[str, object]:
    """Return the account as data for programs."""
    return {
        "stack": manifest.facts.stack,
        "plan": manifest.id,
        "currency": "USD",
        **estimated.model_dump(mode="json"),
        "stale": estimated.is_stale(today),
        "proposed_budget": estimated.proposed_budget,
    }


def _account(console: Console, title: str, lines: Sequence[Line]) -> None:
    rows = [
        (
            each.what,
            f"{each.quantity:,.0f} x {each.price.amount:.6g}" if each.price else "",
            _money(each.amount),
        )
        for each in lines
    ]
    known = [each.amount for each in lines if each.amount is not None]
    least = "at least " if len(known) < len(lines) else ""
    _table(console, title, least + _money(sum(known)) if known or not lines else _UNKNOWN, rows)


def _table(console: Console, title: str, sum_: str, rows: Iterable[tuple[str, str, str]]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    # On a screen the sums of all tables stand below each other; a file has no edge to stand at.
    table.expand = console.is_terminal
    table.add_column(overflow="fold", ratio=1)
    table.add_column(justify="right", style="quiet", no_wrap=True)
    table.add_column(justify="right")
    table.add_row(Text(title, style="bold"), "", Text(sum_, style="bold"))
    for what, how, amount in rows:
        table.add_row(Text(f"  {what}"), how, amount)
    console.print(table)
    console.print()


def _stored(each: Stored) -> str:
    later = "".join(f", {_money(rate)} from day {day} ({name})" for day, name, rate in each.later)
    if each.deleted_after is None:
        return f"{_money(each.month)} a month{later}"
    return f"{_money(each.total)} in all{later}, deleted after {each.deleted_after} days"


def _between(least: float | None, most: float | None) -> str:
    return _money(most) if least == most else f"{_money(least)} to {_money(most)}"


def _money(amount: float | None) -> str:
    return _UNKNOWN if amount is None else f"{amount:,.2f}"


def _change(what: str, before: float, after: float) -> str:
    if round(before, 2) == round(after, 2):
        return f"{_money(after)} {what}, as before"
    return f"{_money(before)} -> {_money(after)} {what}"


def _refresh() -> str:
    return completed("biomodal-aws cost --refresh")
