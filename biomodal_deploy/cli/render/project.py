"""A project: what synthesis wrote and Terraform finds, tools, locks, outputs, Nextflow's files."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import JsonValue
from rich.console import Console
from rich.table import Table
from rich.text import Text

from biomodal_deploy.cli.next_steps import completed
from biomodal_deploy.cli.render import print_exactly, print_table
from biomodal_deploy.engine.synthesis import Synthesis
from biomodal_deploy.engine.terraform import OutputValue
from biomodal_deploy.engine.toolchain import Tool
from biomodal_deploy.errors import UsageError
from biomodal_deploy.plan import HIDDEN_TEXT
from biomodal_deploy.text import counted
from biomodal_deploy.vm.nextflow import Written
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


# Terraform allows hyphens and letters of any script; a shell does not.
_SHELL_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def show_outputs(console: Console, outputs: Mapping[str, OutputValue]) -> None:
    """Print every output, sensitive ones hidden."""
    if not outputs:
        console.print(completed("No outputs: nothing is applied yet. Next: biomodal-aws plan"))
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name in sorted(outputs):
        value = HIDDEN_TEXT if outputs[name].sensitive else _text(outputs[name].value)
        table.add_row(name, Text(value))
    console.print(table)


def show_value(_: Console, outputs: Mapping[str, OutputValue]) -> None:
    """Print one output's bare value, for a shell to take up."""
    for output in outputs.values():
        print_exactly(_text(output.value) + "\n")


def show_environment(_: Console, outputs: Mapping[str, OutputValue]) -> None:
    """Print shell assignments: `BUCKET_URL=s3://...`."""
    for name in outputs:
        if not _SHELL_NAME.fullmatch(name):
            raise UsageError(
                "not a name that a shell can assign to",
                field="output",
                value=name,
                fix="rename it, or use --output json",
            )
    for name in sorted(outputs):
        variable = name.upper().replace("-", "_")
        print_exactly(f"{variable}={shlex.quote(_text(outputs[name].value))}\n")


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def show_written(console: Console, written: Written) -> None:
    """Print each file, and what to do with them."""
    for path in written.paths:
        word = "wrote" if path in written.changed else "as it was"
        console.print(Text(f"{word:<9} {path}"), soft_wrap=True)
    console.print("Copy both to the folder on the VM in which Nextflow runs, and there:")
    console.print("  . ./nextflow.env && nextflow run PIPELINE")
