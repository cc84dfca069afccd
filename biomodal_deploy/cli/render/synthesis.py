"""What a synthesis wrote."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from biomodal_deploy.engine.synthesis import Synthesis


def show_synthesis(console: Console, synthesis: Synthesis) -> None:
    """Print the stacks, how many resources each has, and how long it took."""
    table = Table("Stack", "Resources", "Directory", box=None, pad_edge=False)
    for stack in synthesis.stacks:
        table.add_row(stack.name, str(stack.resources), str(stack.directory))
    console.print(table)
    console.print(f"synthesized in {synthesis.seconds:.1f} s", style="quiet")
