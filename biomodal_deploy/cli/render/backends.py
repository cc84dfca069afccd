"""Where a state is now."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from biomodal_deploy.cli.next_steps import completed
from biomodal_deploy.workflow.migrating import Migrated


def show_migrated(console: Console, done: Migrated) -> None:
    """Print from where to where, what was read back, and where the copy is."""
    if done.source is None:
        console.print(Text(f"There is nothing to move: the state of {done.stack} is in"))
        console.print(Text(f"  {done.target}"))
        return
    console.print(Text("Moved: ", style="good").append(f"the state of {done.stack}", "default"))
    console.print(Text(f"  from    {done.source}"))
    console.print(Text(f"  to      {done.target}"))
    console.print(Text(f"  holds   {done.state or 'nothing yet'}, read back"))
    if done.backup:
        console.print(Text(f"  backup  {done.backup}"))
    console.print(completed(f"Next: biomodal-aws plan --stack {done.stack}"), style="quiet")


def migrated_data(done: Migrated) -> dict[str, object]:
    """Return where a state is now as data for programs."""
    return {
        "stack": done.stack,
        "moved": done.source is not None,
        "source": done.source,
        "target": done.target,
        "lineage": done.state.lineage if done.state else None,
        "serial": done.state.serial if done.state else None,
        "resources": done.state.resources if done.state else None,
        "backup": str(done.backup) if done.backup else None,
    }
