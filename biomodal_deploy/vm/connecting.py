"""Connect to the VM: a login shell or one command, on the same terminal.

AWS vouches for the VM's host keys: cloud-init prints them on the console at the end of the first
boot. Where they are there, the first connection trusts what AWS says; where they are not, it trusts
what it meets (`accept-new`).
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from biomodal_deploy import files as private
from biomodal_deploy.aws.checks import Unavailable, ask_once
from biomodal_deploy.aws.resources import console_of, describe_instance
from biomodal_deploy.engine.process import Captured, capture, run_in_foreground
from biomodal_deploy.engine.terraform.events import plain
from biomodal_deploy.errors import Interrupted, UsageError
from biomodal_deploy.files import read_regular, scratch, writing
from biomodal_deploy.vm.access import SessionTarget, SshTarget, check_key, ssh_command
from biomodal_deploy.vm.ssh_failures import (
    complaints_in,
    needs_machine,
    not_connected,
    not_running,
    reason_in,
)
from biomodal_deploy.workflow.location import Listener, Notice

# What ssh itself ends with, whatever went wrong; a remote command may use it too.
SSH_FAILED: Final = 255
_RUN: Final = "AWS-StartInteractiveCommand"
_LARGEST: Final = 1 << 20


def ssh_program(environment: Mapping[str, str]) -> str:
    """Return the ssh on PATH.

    Raises:
        UsageError: There is none.
    """
    return _program("ssh", environment, "install OpenSSH's client (apt install openssh-client)")


def remote_words(command: Sequence[str]) -> list[str]:
    """Return what to run on the VM as ssh takes it: one shell line.

    One word is a line as it is (`'docker ps | wc -l'`); several keep their borders.
    """
    if len(command) > 1:
        return [shlex.join(command)]
    return list(command)


def meet(target: SshTarget, on_event: Listener) -> None:
    """Learn the VM's host key from AWS before the first connection, where AWS has it."""
    if is_known(target):
        return
    try:
        console = ask_once(target.region, lambda clients: console_of(clients, target.instance_id))
    except Unavailable:
        console = ""
    if keys := host_keys_in(console):
        keep(target, keys)
        on_event(
            Notice(f"The host keys of {target.instance_id} are from its console, as AWS shows it")
        )
    else:
        on_event(
            Notice(
                f"AWS does not show the host key of {target.instance_id}, so the one that it shows "
                f"itself is kept in {target.known_hosts}, and any other is refused from now on"
            )
        )


def connect_by_ssh(
    target: SshTarget, command: Sequence[str], environment: Mapping[str, str], on_event: Listener
) -> int:
    """Run a login shell or a command on the VM through SSH; return the command's exit status.

    Args:
        command: The command and its arguments; none for a shell.
        on_event: Told which host key is trusted, and why.

    Raises:
        UsageError: There is no ssh, or the key will not do.
        NotConnected: There is no connection.
    """
    with _logged(target, environment, on_event) as (program, log):
        argv = ssh_command(target, remote_words(command), program=program, log=log)
        status = run_in_foreground(argv, directory=Path.cwd(), environment=environment)
        if status == SSH_FAILED:
            raise_if_not_connected(target, _text(log))
    return status


@contextmanager
def _logged(
    target: SshTarget, environment: Mapping[str, str], on_event: Listener
) -> Iterator[tuple[str, Path]]:
    """Give the ssh to use and a file for its own messages, once key and host are known."""
    program = ssh_program(environment)
    check_key(target)
    meet(target, on_event)
    with scratch(target.known_hosts.parent, "ssh") as folder:
        yield program, folder / "log"


def capture_by_ssh(
    target: SshTarget, line: str, environment: Mapping[str, str], on_event: Listener
) -> Captured:
    """Run a line that only reads on the VM, where nobody can be asked; return what it printed.

    Args:
        line: A line for the VM's shell.

    Raises:
        UsageError: There is no ssh, or the key will not do.
        NotConnected: There is no connection.
        NotStarted: ssh cannot be started.
        TooMuchOutput: It printed more than a megabyte.
        Interrupted: It was asked to stop.
    """
    with _logged(target, environment, on_event) as (program, log):
        argv = ssh_command(target, [line], program=program, log=log, batch=True)
        done = capture(argv, directory=Path.cwd(), environment=environment, limit=_LARGEST)
        if done.steps:
            raise Interrupted("Interrupted while looking at the VM: nothing was changed.")
        if done.returncode == SSH_FAILED:
            raise_if_not_connected(target, _text(log))
    return done


def raise_if_not_connected(target: SshTarget, log: str) -> None:
    """Raise what ssh complained of; return where it said nothing: the command failed, not ssh.

    Raises:
        NotConnected: There was no connection.
    """
    reason = reason_in(log)
    if reason is None and not complaints_in(log):
        return
    machine, asked = None, False
    if needs_machine(reason):
        try:
            machine = ask_once(
                target.region, lambda clients: describe_instance(clients, target.instance_id)
            )
            asked = True
        except Unavailable:
            pass
    raise not_connected(target, log, machine, asked=asked)


def connect_by_session(
    target: SessionTarget, command: Sequence[str], environment: Mapping[str, str]
) -> int:
    """Run a shell or a command on the VM through Session Manager.

    Raises:
        UsageError: The AWS CLI or its plugin is missing.
        NotConnected: The VM does not run.
    """
    program = _program(
        "aws",
        environment,
        "install the AWS CLI: https://docs.aws.amazon.com/cli/latest/userguide/"
        "getting-started-install.html",
    )
    _program(
        "session-manager-plugin",
        environment,
        "install it: https://docs.aws.amazon.com/systems-manager/latest/userguide/"
        "session-manager-working-with-install-plugin.html",
    )
    try:
        machine = ask_once(
            target.region, lambda clients: describe_instance(clients, target.instance_id)
        )
    except Unavailable:
        pass  # the AWS CLI says it in its own words
    else:
        if machine is None or machine["State"]["Name"] != "running":
            raise not_running(target, machine)
    argv = [
        program,
        "ssm",
        "start-session",
        "--region",
        target.region,
        "--target",
        target.instance_id,
    ]
    if words := remote_words(command):
        parameters = json.dumps({"command": words})
        argv += ["--document-name", _RUN, "--parameters", parameters]
    return run_in_foreground(argv, directory=Path.cwd(), environment=environment)


def _program(name: str, environment: Mapping[str, str], fix: str) -> str:
    found = shutil.which(name, path=environment.get("PATH"))
    if found is None:
        raise UsageError("not found on PATH", field=name, fix=fix)
    return found


def _text(log: Path) -> str:
    try:
        return log.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


_BEGIN: Final = "-----BEGIN SSH HOST KEY KEYS-----"
_END: Final = "-----END SSH HOST KEY KEYS-----"
_KEY: Final = re.compile(
    r"\b(ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)|ssh-rsa) ([A-Za-z0-9+/]{40,}={0,2})(?=\s|$)"
)


def host_keys_in(console: str) -> tuple[str, ...]:
    """Return the host keys of the last boot that printed any, each as `TYPE BASE64`."""
    found: list[str] = []
    inside = False
    for line in map(plain, console.splitlines()):
        if _BEGIN in line:
            inside, found = True, []
        elif _END in line:
            inside = False
        elif inside and (key := _KEY.search(line)):
            found.append(f"{key[1]} {key[2]}")
    return () if inside else tuple(found)


def is_known(target: SshTarget) -> bool:
    """Say whether a key of this VM is kept already."""
    try:
        lines = read_regular(target.known_hosts).decode(errors="replace").splitlines()
    except FileNotFoundError:
        return False
    return any(line.partition(" ")[0] == target.instance_id for line in lines)


def keep(target: SshTarget, keys: tuple[str, ...]) -> None:
    """Add host keys of a VM to the stack's known hosts.

    Raises:
        UsageError: The system refuses to write.
    """
    with writing(target.known_hosts):
        before = read_regular(target.known_hosts) if target.known_hosts.exists() else b""
        if before and not before.endswith(b"\n"):
            before += b"\n"
        added = "".join(f"{target.instance_id} {key}\n" for key in keys)
        private.write(target.known_hosts, before + added.encode())
