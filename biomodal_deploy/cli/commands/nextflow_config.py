"""`biomodal-aws nextflow-config`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.render import print_exactly
from biomodal_deploy.cli.render.project import show_written
from biomodal_deploy.cli.session import emit, session
from biomodal_deploy.errors import UsageError
from biomodal_deploy.vm.deployed import read_deployed
from biomodal_deploy.vm.nextflow import (
    CONFIG_NAME,
    ENVIRONMENT_NAME,
    config_text,
    environment_text,
    write_files,
)
from biomodal_deploy.vm.nextflow_facts import memory_of, nextflow_facts
from biomodal_deploy.workflow.stack import last_stack


def nextflow_config(
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write nextflow.config and nextflow.env there."),
    ] = None,
    env: Annotated[
        bool, typer.Option("--env", help="Print nextflow.env and not nextflow.config.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write over files that say something else.")
    ] = False,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Print or write Nextflow's configuration.

    Region, queues, work directory, command line of the hosts, retries and Java's memory are those
    of the stack as it was applied. Comments say what it lacks.

    Example: biomodal-aws nextflow-config --out pipeline
    """
    if out and env:
        raise UsageError(
            "cannot be used with --out, which writes both", field="--env", fix="use one"
        )
    if force and not out:
        raise UsageError("only valid with --out", field="--force", fix="add --out DIR")

    with session(project_dir, output) as work:
        deployed = read_deployed(last_stack(work.location, stack), work.on_event)
        facts = nextflow_facts(deployed, memory_of(deployed, work.on_event))
        texts = {CONFIG_NAME: config_text(facts), ENVIRONMENT_NAME: environment_text(facts)}
        written = write_files(out, texts, force=force) if out else None
    text = texts[ENVIRONMENT_NAME if env else CONFIG_NAME]
    return emit(
        {
            "files": texts,
            "written": [str(path) for path in written.changed] if written else [],
        },
        lambda console: show_written(console, written) if written else print_exactly(text),
        output,
    )
