"""Run one command against a sandbox of its own: `biomodal-aws sandbox run -- COMMAND`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from biomodal_deploy.engine.process.foreground import run_in_foreground
from biomodal_deploy.errors import UsageError
from biomodal_deploy.sandbox.sandbox import Sandbox

TFVARS_VARIABLE: Final = "SANDBOX_TFVARS"
PLACEHOLDER: Final = "{tfvars}"


def run_in_sandbox(
    command: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str] | None = None,
    on_message: Callable[[str], None] = lambda _: None,
) -> int:
    """Start a sandbox, run a command in it, stop it.

    The command talks to the sandbox and to nothing else of AWS. Values for the documented
    variables reach it in three ways: as `TF_VAR_...`, as a file whose path is in SANDBOX_TFVARS,
    and as that path wherever `{tfvars}` stands in its arguments. Nothing is written to its
    directory: a `terraform.tfvars` there is the user's own, and Terraform prefers it to TF_VAR_.

    Args:
        command: The program and its arguments.
        directory: Where it runs.
        environment: Its environment without the sandbox's; the caller's own where None.
        on_message: Told when the sandbox is there.

    Returns:
        The command's exit status; 128 and the signal's number where a signal ended it.

    Raises:
        UsageError: There is no such program.
        EngineError: The sandbox does not start.
    """
    base = dict(os.environ if environment is None else environment)
    _check(command, directory, base)
    with Sandbox.start() as sandbox:
        tfvars = str(sandbox.write_tfvars(sandbox.directory / "terraform.tfvars"))
        variables = {f"TF_VAR_{name}": value for name, value in sandbox.variables().items()}
        on_message(
            f"An AWS account on loopback answers at {sandbox.endpoint} until the command ends."
        )
        return run_in_foreground(
            [argument.replace(PLACEHOLDER, tfvars) for argument in command],
            directory=directory,
            environment=sandbox.environment(base) | variables | {TFVARS_VARIABLE: tfvars},
        )


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
            "It is no directory", field="directory", value=str(directory), fix="name one that is"
        )
    program = command[0]
    if os.sep in program:
        program = str(directory / program)
    if shutil.which(program, path=environment.get("PATH", os.defpath)) is None:
        raise UsageError(
            "There is no such program, or it cannot be executed",
            field="COMMAND",
            value=command[0],
            fix="check its spelling and PATH",
        )
