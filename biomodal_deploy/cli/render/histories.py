"""The history of a stack."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from biomodal_deploy.plan.history import Chain


def show_history(console: Console, chain: Chain) -> None:
    """Print the entries, and where the chain breaks."""
    if not chain.entries and not chain.broken_at:
        console.print("No plan yet. Next: biomodal-aws plan")
        return
    table = Table("#", "When", "What", "SealedPlan", "Who", "Message", box=None, pad_edge=False)
    for entry in chain.entries:
        table.add_row(
            str(entry.seq),
            entry.at.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z"),
            str(entry.event),
            entry.sealed_plan or "",
            entry.by.who,
            Text(entry.message, overflow="fold"),
        )
    console.print(table)
    if chain.broken_at:
        console.print(Text(f"Broken at line {chain.broken_at}: {chain.why}", style="bad"))
    elif chain.cut_short:
        console.print(Text("The last line was cut short; the next one mends it.", style="warning"))
    else:
        console.print(Text(f"The chain is whole; its head is {chain.head}", style="quiet"))


def history_data(chain: Chain) -> dict[str, object]:
    """Return a history as data for programs."""
    return {
        "entries": [entry.model_dump(mode="json") for entry in chain.entries],
        "whole": chain.broken_at is None,
        "broken_at": chain.broken_at,
        "head": chain.head,
    }
