"""A stack's outputs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping

from pydantic import JsonValue
from rich.console import Console
from rich.table import Table
from rich.text import Text

from biomodal_deploy.engine.terraform import OutputValue
from biomodal_deploy.plan import HIDDEN_TEXT


def show_outputs(console: Console, outputs: Mapping[str, OutputValue]) -> None:
    """Print every output, sensitive ones hidden."""
    if not outputs:
        console.print("There are no outputs: nothing was applied yet.")
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for name in sorted(outputs):
        value = HIDDEN_TEXT if outputs[name].sensitive else _text(outputs[name].value)
        table.add_row(name, Text(value, overflow="fold"))
    console.print(table)


def show_value(console: Console, outputs: Mapping[str, OutputValue]) -> None:
    """Print one output's bare value, for a shell to take up."""
    for output in outputs.values():
        console.print(Text(_text(output.value)), soft_wrap=True)


def show_environment(console: Console, outputs: Mapping[str, OutputValue]) -> None:
    """Print shell assignments: `BUCKET_URL=s3://...`."""
    for name in sorted(outputs):
        line = f"{name.upper()}={shlex.quote(_text(outputs[name].value))}"
        console.print(Text(line), soft_wrap=True)


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value)
