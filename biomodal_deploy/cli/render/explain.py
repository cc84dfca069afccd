"""The two profiles side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from biomodal_deploy.review.hardening import Difference

# Wider than this, and lines of text are hard to follow.
_WIDEST = 120


def show_differences(console: Console, differences: Sequence[Difference]) -> None:
    """Print each difference: what is, side by side, and below it what to make of it."""
    width = min(console.width, _WIDEST)
    for area, listed in groupby(differences, key=lambda each: each.area):
        console.print(Text(area.upper(), style="quiet"))
        for each in listed:
            console.print(Text.assemble((each.title, "bold"), "  ", (each.id, "quiet")))
            console.print(Padding(_sides(each), (0, 0, 0, 2)), width=width)
            console.print(Padding(_notes(each), (0, 0, 1, 2)), width=width)


def _sides(difference: Difference) -> Table:
    table = Table("documented", "hardened", box=None, pad_edge=False, expand=True)
    for column in table.columns:
        column.ratio = 1
        column.header_style = "quiet"
    table.add_row(Text(difference.documented), Text(difference.hardened))
    return table


def _notes(difference: Difference) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="quiet", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("risk", Text(difference.risk))
    table.add_row("reason", Text(difference.reason))
    table.add_row("way back", Text(difference.back))
    if difference.module != "same":
        table.add_row("module", Text(difference.module))
    return table
