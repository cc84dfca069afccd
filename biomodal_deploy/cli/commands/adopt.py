"""`biomodal-aws adopt`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.render.applies import adopted_data, show_adopted
from biomodal_deploy.cli.session import emit, session
from biomodal_deploy.errors import EXIT_DONE, EXIT_GUARD
from biomodal_deploy.workflow.adopting import Source, read_ids
from biomodal_deploy.workflow.adopting import adopt as adopt_into
from biomodal_deploy.workflow.variables import PlanRequest


def adopt(
    state: Annotated[
        Path | None,
        typer.Option(
            "--state",
            help="The state to adopt: a file, or an initialized Terraform folder, whatever its "
            "backend. Default: the state that the stack has, after another bootstrap or profile.",
        ),
    ] = None,
    id_: Annotated[
        list[str] | None,
        typer.Option(
            "--id",
            metavar="ADDRESS=ID",
            help="A resource that no state holds: its address in the stack, and its id in AWS. "
            "Repeatable.",
        ),
    ] = None,
    ids: Annotated[
        Path | None, typer.Option("--ids", help="A JSON object of addresses and ids, as for --id.")
    ] = None,
    allow_destroy: opt.AllowDestroy = None,
    allow: opt.Allow = None,
    var_file: opt.VarFiles = None,
    var: opt.Variables = None,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    full: opt.Full = False,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Plan to take over resources that exist already.

    Copies the state into the stack's backend after a backup, writes `moved`, `import` and `removed`
    blocks to adopt/STACK.tf, and seals a plan that has them. Nothing changes in AWS. Exit status 3
    where anything would be replaced or destroyed that no --allow-destroy names.

    Example: biomodal-aws adopt --state ../biomodal-terraform/terraform.tfstate
    """
    request = PlanRequest(
        var_files=var_file or (),
        variables=var or (),
        allow_destroy=allow_destroy or (),
        allow=allow or (),
        cwd=Path.cwd(),
    )
    source = Source(state and state.expanduser().absolute(), read_ids(id_ or (), ids))
    with session(project_dir, output) as work:
        done = adopt_into(work.location, stack, source, request)
        folder = work.location.project_dir
    return emit(
        adopted_data(done, folder),
        lambda console: show_adopted(console, done, folder, full=full),
        output,
        EXIT_GUARD if done.planned.refusals else EXIT_DONE,
    )
