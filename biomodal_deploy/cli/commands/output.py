"""`biomodal-aws output`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.render.project import show_environment, show_outputs, show_value
from biomodal_deploy.cli.session import emit, session
from biomodal_deploy.errors import UsageError
from biomodal_deploy.text import did_you_mean
from biomodal_deploy.workflow.reading import read_outputs
from biomodal_deploy.workflow.stack import last_stack


def output(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="One output, its bare value; default: all."),
    ] = None,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    format_: Annotated[
        Literal["text", "json", "env"],
        typer.Option("--output", "-o", help="Text, JSON, or shell assignments (env)."),
    ] = "text",
) -> int:
    """Print the stack's outputs.

    A sensitive output is shown only where it is asked for by name, or under json and env.

    Example: ssh -i "$(biomodal-aws output private_key_filename)" ubuntu@203.0.113.7
    """
    as_format = opt.Format.JSON if format_ == "json" else opt.Format.TEXT
    with session(project_dir, as_format) as work:
        found = read_outputs(last_stack(work.location, stack))
    if name is not None and name not in found:
        raise UsageError(
            "unknown output" if found else "the stack has no outputs yet",
            field=name,
            fix=did_you_mean(name, found, otherwise="run biomodal-aws output for all"),
        )
    chosen = {name: found[name]} if name else found
    shower = show_value if name else show_outputs
    shower = show_environment if format_ == "env" else shower
    data = {key: each.model_dump(mode="json") for key, each in chosen.items()}
    return emit(data, lambda console: shower(console, chosen), as_format)
