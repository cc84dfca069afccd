"""`biomodal-aws sandbox`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.render import message_console
from biomodal_deploy.engine.toolchain import tool_environment
from biomodal_deploy.sandbox.run import run_in_sandbox
from biomodal_deploy.workflow.location import project_folder

sandbox = typer.Typer(
    help="An AWS account on loopback, for rehearsals.", rich_markup_mode=None, add_completion=False
)


@sandbox.callback()
def about() -> None:
    """Keep `run` a word of its own: a group of one command would lose it."""


@sandbox.command(context_settings={"ignore_unknown_options": True})
def run(
    command: Annotated[
        list[str],
        typer.Argument(
            metavar="COMMAND...",
            help="The command and its arguments; {tfvars} stands for a file of values.",
        ),
    ],
    keep: Annotated[
        Path | None,
        typer.Option(
            "--keep",
            metavar="DIR",
            help="Make the scratch copy in this new folder, and leave it there to look at. It "
            "holds the values and the state in clear.",
        ),
    ] = None,
    project_dir: opt.ProjectDir = opt.HERE,
) -> int:
    """Run a command against a sandbox, on a copy of the project.

    The command talks to the sandbox and to nothing else of AWS: AWS_ENDPOINT_URL is set, and no
    real credentials are near. It runs on a scratch copy of the project, which starts without
    state, plans and history and is removed at the end: the project itself is only read. Where the
    command names the project by its absolute path, its copy is meant.

    Values for the documented variables are in TF_VAR_..., in the file that SANDBOX_TFVARS names,
    and wherever {tfvars} stands. Terraform and Node are those that `doctor --toolchain` shows. The
    exit status is the command's own.

    Example: biomodal-aws sandbox run -- biomodal-aws plan --var-file {tfvars}
    """
    with tempfile.TemporaryDirectory(prefix="biomodal-tools-") as folder:
        environment = tool_environment(
            Path(folder), project_dir=project_folder(project_dir), environ=os.environ
        )
        return run_in_sandbox(
            command,
            directory=Path.cwd(),
            project=None if project_dir == opt.HERE else project_dir.absolute(),
            keep=keep.absolute() if keep else None,
            environment=environment,
            on_message=lambda text: message_console().print(text, style="quiet"),
        )
