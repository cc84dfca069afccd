"""Provider lock files: what each holds now, and which platforms were not to be had."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from biomodal_deploy.workflow.locking import Locked


def show_locks(console: Console, locked: Sequence[Locked], project: Path) -> None:
    """Print each file with its providers and platforms."""
    for each in locked:
        if not each.providers:
            console.print(Text(f"{each.stack}: no provider, so there is nothing to lock"))
            continue
        did = Text("changed" if each.changed else "as it was", style="warning")
        console.print(Text(f"{each.path.relative_to(project)}: ").append(did))
        for source, version in each.providers.items():
            console.print(Text(f"  {source} {version}"))
        console.print(Text(f"  {', '.join(each.platforms)}"))
        for platform, reason in each.missing.items():
            console.print(Text(f"  {platform} not to be had: {reason}", style="bad"))
    if any(each.changed for each in locked):
        console.print("Next: review them, and git add locks", style="quiet")


def locks_data(locked: Sequence[Locked], project: Path) -> list[dict[str, object]]:
    """Return the files as data for programs."""
    return [
        {
            "stack": each.stack,
            "path": str(each.path.relative_to(project)) if each.providers else None,
            "providers": dict(each.providers),
            "platforms": list(each.platforms),
            "missing": dict(each.missing),
            "changed": each.changed,
        }
        for each in locked
    ]
