"""`biomodal-aws vm`."""

from __future__ import annotations

from typing import Annotated

import typer

from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.render.checks import show_power
from biomodal_deploy.cli.session import emit, session
from biomodal_deploy.errors import UsageError
from biomodal_deploy.vm.idle_stop import set_idle_stop
from biomodal_deploy.vm.power import PowerRequest, switch
from biomodal_deploy.workflow.stack import last_stack

Timeout = Annotated[
    float, typer.Option("--timeout", min=0, help="Seconds to wait until it has happened.")
]

vm = typer.Typer(
    help="Stop the VM while nothing runs, and start it again.",
    rich_markup_mode=None,
    add_completion=False,
)


@vm.command()
def stop(
    force: Annotated[
        bool,
        typer.Option("--force", help="Stop it whatever runs, or could not be looked at."),
    ] = False,
    timeout: Timeout = 600,
    address: opt.Address = None,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Stop the VM; its disk and its address stay.

    Refused (exit status 2) while jobs run or wait in the stack's queues, or Nextflow runs on the
    VM, which is asked over SSH; where either could not be looked at, too. It says what costs on
    while the VM is stopped. A stopped VM stays stopped, and that is no error.

    Example: biomodal-aws vm stop
    """
    if address and force:
        raise UsageError("cannot be used with --force", field="--address", fix="drop one")
    request = PowerRequest(wanted="stopped", force=force, timeout_s=timeout, address=address)
    return _switch(request, project_dir, stack, output)


@vm.command()
def start(
    timeout: Timeout = 600,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Start the VM, and wait until it runs.

    Exit status 2 if it does not run within --timeout. A running VM stays as it is, and that is no
    error.

    Example: biomodal-aws vm start
    """
    request = PowerRequest(wanted="running", timeout_s=timeout)
    return _switch(request, project_dir, stack, output)


@vm.command("idle-stop")
def idle_stop(
    minutes: Annotated[
        int,
        typer.Argument(
            min=0, max=10080, help="After how many minutes without work; 0 switches it off."
        ),
    ],
    address: opt.Address = None,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Have the VM stop itself when nothing runs on it.

    Off unless this switches it on. A timer on the VM looks every five minutes: Nextflow, a
    container, and whoever is logged in are work; jobs whose Nextflow is gone are not. Switched over
    SSH; it stays until a new VM takes this one's place.

    Example: biomodal-aws vm idle-stop 60
    """
    with session(project_dir, output) as work:
        chosen = last_stack(work.location, stack)
        instance = set_idle_stop(chosen, minutes, address, work.on_event)
    how = f"stops after {minutes} minutes without work" if minutes else "does not stop by itself"
    return emit(
        {"stack": chosen.name, "instance_id": instance, "minutes": minutes},
        lambda console: console.print(f"{instance} {how}.", soft_wrap=True),
        output,
    )


def _switch(
    request: PowerRequest, project_dir: opt.ProjectDir, stack: opt.Stack, output: opt.Format
) -> int:
    with session(project_dir, output) as work:
        found = switch(last_stack(work.location, stack), request, work.on_event)
    return emit(found, lambda console: show_power(console, found), output, found.exit_status)
