"""`biomodal-aws eject`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.render.applies import show_ejected
from biomodal_deploy.cli.session import emit, session
from biomodal_deploy.workflow.ejecting import eject as eject_stack
from biomodal_deploy.workflow.stack import fresh_stack


def eject(
    directory: Annotated[Path, typer.Argument(help="A new folder for the files.")],
    as_json: Annotated[
        bool, typer.Option("--json/--hcl", help="Terraform's JSON, or HCL; default: HCL.")
    ] = False,
    var_file: opt.VarFiles = None,
    var: opt.Variables = None,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Write a stack as plain Terraform that stands alone.

    main.tf, variables.tf, outputs.tf, terraform.tfvars, the scripts, the provider lock file, and
    the backend that holds the stack's state: a plan there has no changes, and needs no Python.
    Nothing changes in AWS or in this project.

    Example: biomodal-aws eject ../plain-terraform
    """
    with session(project_dir, output) as work:
        chosen = fresh_stack(work.location, stack)
        done = eject_stack(
            chosen, directory, as_json=as_json, var_files=var_file or (), variables=var or ()
        )
    return emit(done, lambda console: show_ejected(console, done), output)
