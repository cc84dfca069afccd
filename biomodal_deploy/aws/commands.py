"""Commands that mend something, as a person would type them: quoted for a shell."""

from __future__ import annotations

import shlex


def aws(service: str, verb: str, region: str, *words: str) -> str:
    """Return a command of the AWS CLI."""
    return shlex.join(["aws", service, verb, "--region", region, *words])


def start_vm(instance_id: str, region: str) -> str:
    """Return the command that starts a stopped VM."""
    return aws("ec2", "start-instances", region, "--instance-ids", instance_id)


def show_console(instance_id: str, region: str) -> str:
    """Return the command that shows what the VM has printed on its console."""
    words = ("--instance-id", instance_id, "--latest", "--output", "text")
    return aws("ec2", "get-console-output", region, *words)
