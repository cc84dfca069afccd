"""Tables of names: read, and copied into the next command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

_LEAST_FOLDED: Final = 8


def print_table(
    console: Console,
    headings: Sequence[str],
    rows: Sequence[Sequence[Text]],
    *,
    folding: int = 1,
) -> None:
    """Print a table that cuts nothing: an id of which the end is missing is good for no command.

    Where the columns do not fit, each row is a line, which the terminal wraps itself.

    Args:
        folding: How many of the last columns may be folded.
    """
    whole = len(headings) - folding
    table = Table(box=None, pad_edge=False)
    for number, heading in enumerate(headings):
        table.add_column(heading, no_wrap=number < whole, overflow="fold")
    for row in rows:
        table.add_row(*row)
    widths = [
        max(map(cell_len, (heading, *(row[number].plain for row in rows)))) + 2
        for number, heading in enumerate(headings[:whole])
    ]
    if sum(widths) + folding * _LEAST_FOLDED <= console.width:
        console.print(table)
        return
    for row in rows:
        console.print(Text("  ").join(cell for cell in row if cell), soft_wrap=True)
