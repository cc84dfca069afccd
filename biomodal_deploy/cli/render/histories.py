"""The history of a stack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import Console
from rich.text import Text

from biomodal_deploy.cli.next_steps import completed
from biomodal_deploy.cli.render.console import Line, print_lines
from biomodal_deploy.plan.history import Chain
from biomodal_deploy.plan.history.entry import Entry

_INDENT: Final = 5


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
        console.print(Text("The last line was cut short; the next one mends it.", style="warning"))
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
