"""What synthesis wrote, what Terraform finds in it; which programs run, with which providers."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from biomodal_deploy.cli.render.console import print_table
from biomodal_deploy.engine.synthesis import Synthesis
from biomodal_deploy.engine.toolchain import Tool
from biomodal_deploy.text import counted
from biomodal_deploy.workflow.locking import Locked
from biomodal_deploy.workflow.reading import Finding


def show_synthesis(console: Console, synthesis: Synthesis) -> None:
    """Print the stacks, how many resources each has, and how long it took."""
    rows = [
        (Text(stack.name), Text(str(stack.resources)), Text(str(stack.directory)))
        for stack in synthesis.stacks
    ]
    print_table(console, ("Stack", "Resources", "Directory"), rows)
    console.print(f"synthesized in {synthesis.seconds:.1f} s", style="quiet")


def show_tools(console: Console, tools: Sequence[Tool]) -> None:
    """Print what was chosen, its version, where it is, and why."""
    rows = []
    for tool in tools:
        version = tool.version or ("-" if tool.ok else "missing")
        rows.append(
            (
                Text(tool.name),
                Text(version, style="" if tool.ok else "bad"),
                Text(tool.reason),
                Text(str(tool.path or ""), style="quiet"),
            )
        )
    print_table(console, ("Tool", "Version", "Why", "Where"), rows, folding=2)


def show_locks(console: Console, locked: Sequence[Locked]) -> None:
    """Print each file with its providers and platforms."""
    for each in locked:
        if each.path is None:
            console.print(Text(f"{each.stack}: no provider, so there is nothing to lock"))
            continue
        did = Text("changed" if each.changed else "as it was", style="warning")
        console.print(Text(f"{each.path}: ").append(did))
        for source, version in each.providers.items():
            console.print(Text(f"  {source} {version}"))
        console.print(Text(f"  {', '.join(each.platforms)}"))
        for platform, reason in each.missing.items():
            console.print(Text(f"  {platform} unavailable: {reason}", style="bad"))
    if any(each.changed for each in locked):
        console.print("Next: review them, and git add locks", style="quiet")


def show_findings(console: Console, stack: str, findings: Sequence[Finding]) -> None:
    """Print each finding with the construct that it comes from."""
    for finding in findings:
        said = finding.diagnostic
        style = "bad" if said.is_error else "warning"
        line = Text(f"{said.severity}: ", style=style).append(said.summary, style="default")
        line.append(f"  {finding.construct or said.address or ''}", style="quiet")
        console.print(line)
        if said.detail:
            console.print(Text(f"  {said.detail}", style="quiet"))
    errors = sum(finding.diagnostic.is_error for finding in findings)
    console.print(f"{stack}: {counted(errors, 'error')}" if errors else f"{stack} is valid")
