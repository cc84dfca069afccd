"""Run one command against a sandbox of its own: `biomodal-aws sandbox run -- COMMAND`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from biomodal_deploy.config.settings import (
    OUTDIR_VARIABLE,
    PROJECT_FILE,
    output_directory,
    read_project_file,
)
from biomodal_deploy.engine.process import run_in_foreground
from biomodal_deploy.errors import UsageError
from biomodal_deploy.sandbox import Sandbox
from biomodal_deploy.sandbox.scratch import copy_project

TFVARS_VARIABLE: Final = "SANDBOX_TFVARS"
PLACEHOLDER: Final = "{tfvars}"


def run_in_sandbox(
    command: Sequence[str],
    *,
    directory: Path,
    project: Path | None = None,
    keep: Path | None = None,
    environment: Mapping[str, str] | None = None,
    on_message: Callable[[str], None] = lambda _: None,
) -> int:
    """Start a sandbox, run a command in it on a scratch copy of the project, stop it.

    The command talks to the sandbox and to nothing else of AWS. Values for the documented
    variables reach it in three ways: as `TF_VAR_...`, as a file whose path is in SANDBOX_TFVARS,
    and as that path wherever `{tfvars}` stands in its arguments. It runs in the copy, which has
    the project's sources and none of its state, plans or history: nothing is written to the
    project itself. The copy goes with the sandbox, also where this process is killed.

    Args:
        command: The program and its arguments; where they name the project, its copy is meant.
        directory: The caller's folder; the command runs in the same folder of the copy.
        project: The project; where None, the folder of the nearest `cdktf.json` above.
        keep: A new folder for the copy, which then stays.
        environment: Its environment without the sandbox's; the caller's own where None.
        on_message: Told when the sandbox is there, and of what is different in the copy.

    Returns:
        The command's exit status; 128 and the signal's number where a signal ended it.

    Raises:
        UsageError: no such program, or the project cannot be copied.
    """
    base = dict(os.environ if environment is None else environment)
    _check(command, directory, base)
    if keep is not None and (keep.exists() or keep.is_symlink()):
        raise UsageError("already exists", field="--keep", value=str(keep), fix="name a new folder")
    source = project or _project_above(directory)
    with Sandbox.start() as sandbox:
        tfvars = str(sandbox.write_tfvars(sandbox.directory / "terraform.tfvars"))
        variables = {f"TF_VAR_{name}": value for name, value in sandbox.variables().items()}
        place = sandbox.directory / "scratch" / (source.resolve().name or "project")
        scratch = copy_project(source, keep or place, _output_of(source, base))
        on_message(
            f"An AWS account on loopback answers at {sandbox.endpoint} until the command ends."
        )
        on_message(f"The command runs on a copy of the project, in {scratch.folder}.")
        for note in scratch.notes:
            on_message(note)
        return run_in_foreground(
            [scratch.text(argument).replace(PLACEHOLDER, tfvars) for argument in command],
            directory=scratch.directory(directory),
            environment=scratch.environment(sandbox.environment(base))
            | variables
            | {TFVARS_VARIABLE: tfvars},
        )


def _project_above(directory: Path) -> Path:
    """Return the folder that a command started in `directory` could write to as its project."""
    here = directory.resolve()
    found = (each for each in (here, *here.parents) if (each / PROJECT_FILE).exists())
    return next(found, here)


def _output_of(project: Path, environment: Mapping[str, str]) -> Path:
    try:
        return output_directory(project, read_project_file(project), environment)
    except UsageError:  # none, or a wrong one: whoever needs it says so
        return project / (environment.get(OUTDIR_VARIABLE) or "cdktf.out")


def _check(command: Sequence[str], directory: Path, environment: Mapping[str, str]) -> None:
    """Find the program before anything is started for it."""
    if not command or not command[0]:
        raise UsageError(
            "A command to run is needed",
            field="COMMAND",
            fix="biomodal-aws sandbox run -- terraform plan",
        )
    if not directory.is_dir():
        raise UsageError(
            "not a directory", field="directory", value=str(directory), fix="name one that is"
        )
    program = command[0]
    if os.sep in program:
        program = str(directory / program)
    if shutil.which(program, path=environment.get("PATH", os.defpath)) is None:
        raise UsageError(
            "no such program, or not executable",
            field="COMMAND",
            value=command[0],
            fix="check its spelling and PATH",
        )
