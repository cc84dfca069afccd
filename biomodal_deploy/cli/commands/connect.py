"""`biomodal-aws connect`."""

from __future__ import annotations

from typing import Annotated

import typer

from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.render import print_exactly
from biomodal_deploy.cli.session import emit, session
from biomodal_deploy.errors import UsageError
from biomodal_deploy.vm.access import SshTarget, has_ssh, host_block, session_target, ssh_target
from biomodal_deploy.vm.connecting import connect_by_session, connect_by_ssh
from biomodal_deploy.vm.deployed import read_deployed
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
    ssm: opt.SessionManager = False,
    address: opt.Address = None,
    ssh_config: Annotated[
        bool,
        typer.Option(
            "--ssh-config",
            help="Print a Host block for ~/.ssh/config instead: for ssh, scp, rsync and editors. "
            "With --ssm it goes through Session Manager, with port 22 closed to everyone: it "
            "needs the AWS CLI, its session-manager-plugin, and the SSH key all the same.",
        ),
    ] = False,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    output: opt.OutputFormat = opt.Format.TEXT,
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
    if ssh_config and command:
        raise UsageError("cannot be used with a command", field="--ssh-config", fix="drop one")
    if output is opt.Format.JSON and not ssh_config:
        raise UsageError("only valid with --ssh-config", field="--output json", fix="drop it")

    words = command or []
    # Progress would draw over the shell, and its lines get in between a command's.
    with session(project_dir, output if ssh_config else opt.Format.JSON) as work:
        chosen = last_stack(work.location, stack)
        deployed = read_deployed(chosen, work.on_event)
        environment = work.location.environment
        folder = work.location.plans / chosen.name
        if ssh_config:
            target = ssh_target(deployed, folder, environment, address)
            block = host_block(target, through=session_target(deployed) if ssm else None)
        elif ssm or not (has_ssh(deployed) or address):
            return connect_by_session(session_target(deployed), words, environment)
        else:
            target = ssh_target(deployed, folder, environment, address)
            return connect_by_ssh(target, words, environment, work.on_event)
    return emit(_host_data(target, block), lambda _: print_exactly(block), output)


def _host_data(target: SshTarget, block: str) -> dict[str, object]:
    return {
        "host": target.name,
        "instance_id": target.instance_id,
        "address": target.address,
        "port": target.port,
        "user": target.user,
        "key": str(target.key),
        "known_hosts": str(target.known_hosts),
        "text": block,
    }
