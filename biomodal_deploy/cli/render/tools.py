"""The table of chosen tools."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from biomodal_deploy.engine.toolchain import Tool


def show_tools(console: Console, tools: Sequence[Tool]) -> None:
    """Print what was chosen, its version, where it is, and why."""
    table = Table("Tool", "Version", "Why", "Where", box=None, pad_edge=False)
    for tool in tools:
        version = tool.version or ("-" if tool.ok else "missing")
        table.add_row(
            tool.name,
            Text(version, style="" if tool.ok else "bad"),
            Text(tool.reason),
            Text(str(tool.path or ""), style="quiet", overflow="fold"),
        )
    console.print(table)
