"""`biomodal-aws ssh-config`."""

from __future__ import annotations

from biomodal_deploy.cli.options import (
    HERE,
    Address,
    Format,
    OutputFormat,
    ProjectDir,
    SessionManager,
    Stack,
)
from biomodal_deploy.cli.render.console import print_exactly
from biomodal_deploy.cli.result import Result, emit
from biomodal_deploy.cli.session import session
from biomodal_deploy.errors import UsageError
from biomodal_deploy.vm.access import session_way, ssh_way
from biomodal_deploy.vm.built import read_built
from biomodal_deploy.vm.ssh_options import host_block
from biomodal_deploy.workflow.stack import last_stack


def ssh_config(
    ssm: SessionManager = False,
    address: Address = None,
    project_dir: ProjectDir = HERE,
    stack: Stack = None,
    output: OutputFormat = Format.TEXT,
) -> int:
    """Print a Host block for ~/.ssh/config.

    For ssh, scp, rsync and editors. With --ssm the connection goes through Session Manager, with
    port 22 closed to everyone: it takes the AWS CLI, its session-manager-plugin, and the SSH key
    all the same.

    Example: biomodal-aws ssh-config >> ~/.ssh/config
    """
    if ssm and address:
        raise UsageError("cannot be used with --ssm", field="--address", fix="use one of the two")

    with session(project_dir, output) as work:
        chosen = last_stack(work.location, stack)
        built = read_built(chosen, work.listen)
        folder = work.location.plans / chosen.name
        way = ssh_way(built, folder, work.location.environment, address)
        block = host_block(way, through=session_way(built) if ssm else None)
    return emit(
        Result(
            data={
                "host": way.name,
                "instance_id": way.instance_id,
                "address": way.address,
                "port": way.port,
                "user": way.user,
                "key": str(way.key),
                "known_hosts": str(way.known_hosts),
                "text": block,
            },
            show=lambda _: print_exactly(block),
        ),
        output,
    )
