"""`biomodal-aws status`."""

from __future__ import annotations

from typing import Annotated

import typer

from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.render.checks import show_status
from biomodal_deploy.cli.session import emit, session
from biomodal_deploy.errors import UsageError
from biomodal_deploy.vm.status import StatusRequest, status_of
from biomodal_deploy.workflow.stack import last_stack


def status(
    wait: Annotated[
        bool, typer.Option("--wait", help="Repeat until it is ready, has failed, or --timeout.")
    ] = False,
    deep: Annotated[
        bool,
        typer.Option(
            "--deep",
            help="Check the VM itself too, over SSH: Java, Docker, disk, access to bucket "
            "and registry, and the install log.",
        ),
    ] = False,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0, help="Limit of --wait in seconds.")
    ] = 900,
    address: opt.Address = None,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Show the health of a stack.

    The VM and its install script, Batch, the bucket, the repository and the roles, in one table
    with one verdict. Nothing is changed, except that --deep writes one small object into the
    bucket and deletes it again. What AWS does not report is unknown, never a pass. Exit status 0
    if all is well, 2 if something needs attention or is not ready yet.

    Example: biomodal-aws status --wait --deep
    """
    if address and not deep:
        raise UsageError("only valid with --deep", field="--address", fix="add --deep")

    request = StatusRequest(deep=deep, wait_s=timeout if wait else None, address=address)
    with session(project_dir, output) as work:
        found = status_of(last_stack(work.location, stack), request, work.on_event)
    return emit(found, lambda console: show_status(console, found), output, found.exit_status)
