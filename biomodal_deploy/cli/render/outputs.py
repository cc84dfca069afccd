"""A stack's outputs; and Nextflow's files, as text or where they were written."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue
from rich.console import Console
from rich.table import Table
from rich.text import Text

from biomodal_deploy.cli.next_steps import completed
from biomodal_deploy.cli.render.console import print_exactly
from biomodal_deploy.engine.terraform import OutputValue
from biomodal_deploy.errors import UsageError
from biomodal_deploy.plan import HIDDEN_TEXT
from biomodal_deploy.vm.nextflow.files import Written

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
