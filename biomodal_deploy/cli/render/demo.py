"""The demo on screen: each command as it is typed, and a table at the end."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from biomodal_deploy.sandbox.demo import StepResult


def show_command(console: Console, command: str) -> None:
    """Print a command before it runs."""
    console.print(Text(f"$ {command}", style="bold"), soft_wrap=True)


def show_step(console: Console, number: int, total: int, title: str) -> None:
    """Print what comes next."""
    console.print()
    console.print(Rule(f"{number} of {total}: {title}", align="left", characters="-"))


def show_summary(console: Console, results: Sequence[StepResult], total: int) -> None:
    """Print what became of each step."""
    table = Table("Step", "Result", "Seconds", "", box=None, pad_edge=False)
    for result in results:
        word = Text("held", style="good") if result.ok else Text("failed", style="bad")
        table.add_row(result.title, word, f"{result.seconds:.1f}", Text(result.note, style="quiet"))
    console.print()
    console.print(Rule(characters="-"))
    console.print(table)
    if all(result.ok for result in results) and len(results) == total:
        console.print(Text("Every step held.", style="good"))
    else:
        console.print(Text(f"{total - len(results)} steps were not reached.", style="bad"))
