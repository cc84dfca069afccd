"""`biomodal-aws connect`."""

from __future__ import annotations

from typing import Annotated

import typer

from biomodal_deploy.cli.options import HERE, Address, Format, ProjectDir, SessionManager, Stack
from biomodal_deploy.cli.session import session
from biomodal_deploy.errors import UsageError
from biomodal_deploy.vm.access import has_ssh, session_way, ssh_way
from biomodal_deploy.vm.built import read_built
from biomodal_deploy.vm.connecting import connect_by_session, connect_by_ssh
from biomodal_deploy.workflow.stack import last_stack


def connect(
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="COMMAND...",
            help="The command, after --; default: a login shell. One word is a line "
            "for the VM's shell, several are passed on as they are.",
        ),
    ] = None,
    ssm: SessionManager = False,
    address: Address = None,
    project_dir: ProjectDir = HERE,
    stack: Stack = None,
) -> int:
    """Open a shell on the VM, or run one command there.

    User, key and address are the outputs'. A stack without an SSH key is reached through
    Session Manager, which --ssm chooses for any. The VM's host key is kept in the stack's own
    folder: taken from what AWS shows of the VM's console where it is there, else from the first
    connection, and any other is refused from then on. The exit status is the command's own.

    Example: biomodal-aws connect -- docker ps --all
    """
    if ssm and address:
        raise UsageError("cannot be used with --ssm", field="--address", fix="use one of the two")

    words = command or []
    # Progress would draw over the shell, and its lines get in between a command's.
    with session(project_dir, Format.JSON) as work:
        chosen = last_stack(work.location, stack)
        built = read_built(chosen, work.listen)
        environment = work.location.environment
        if ssm or not (has_ssh(built) or address):
            return connect_by_session(session_way(built), words, environment)
        way = ssh_way(built, work.location.plans / chosen.name, environment, address)
        return connect_by_ssh(way, words, environment, work.listen)
