"""The ways into the VM, SSH with the outputs' key or Session Manager, and what ssh is told.

Host keys are kept apart from the user's own, in the stack's folder, under the VM's id: a VM that
was replaced is a new host and no alarm, the same VM with another key is one. `accept-new` takes the
key of a host that is not known yet, and refuses one that has changed (ssh_config(5)).
"""

from __future__ import annotations

import ipaddress
import os
import re
import shlex
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import private_dir, read_regular
from biomodal_deploy.vm.deployed import Deployed
from biomodal_deploy.workflow.stack import Stack

SSH_PORT: Final = 22
_OTHERS: Final = 0o077
# What reaches ssh as a host or user: nothing that it could take for an option or a token.
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_PORT: Final = re.compile(r"[0-9]{1,5}")
_ZONE: Final = re.compile(r"[A-Za-z0-9_.-]+")
_USER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,31}")


@dataclass(frozen=True, kw_only=True)
class SshTarget:
    """SSH.

    Attributes:
        name: What the VM is called in an SSH configuration.
        known_hosts: Host keys of this stack's VMs, apart from the user's own.
        instance_id: The VM; a replaced one is another host to SSH, and no alarm.
    """

    name: str
    address: str
    port: int = SSH_PORT
    user: str
    key: Path
    known_hosts: Path
    instance_id: str
    region: str


@dataclass(frozen=True)
class SessionTarget:
    """AWS Session Manager: the VM calls AWS, no port is open and no key is needed."""

    instance_id: str
    region: str


def instance_of(deployed: Deployed) -> str:
    """Return the VM's id.

    Raises:
        UsageError: no VM yet.
    """
    if deployed.vm is None:
        raise UsageError(
            "no VM yet",
            field=deployed.stack,
            fix="finish the stack: run biomodal-aws plan, then biomodal-aws apply",
        )
    return deployed.vm.id


def has_ssh(deployed: Deployed) -> bool:
    """Say whether the stack has a key: a hardened one without has Session Manager only."""
    return bool(deployed.outputs.get("private_key_filename"))


def session_target(deployed: Deployed) -> SessionTarget:
    """Return where to reach the VM through Session Manager.

    Raises:
        UsageError: no VM yet.
    """
    return SessionTarget(instance_of(deployed), deployed.region)


def ssh_target_of(stack: Stack, deployed: Deployed, address: str | None) -> SshTarget:
    """Return where to reach the VM of a stack by SSH; see `ssh_target`."""
    location = stack.location
    return ssh_target(deployed, location.plans / stack.name, location.environment, address)


def ssh_target(
    deployed: Deployed, folder: Path, environment: Mapping[str, str], address: str | None = None
) -> SshTarget:
    """Return where and how to reach the VM by SSH.

    Args:
        folder: The stack's own folder, for its known hosts.
        environment: The caller's: where the home is.
        address: Another way to the VM's SSH server, `HOST` or `HOST:PORT`: its private address, or
            the near end of a tunnel.

    Raises:
        UsageError: An output is missing, or the address is none.
    """
    instance_id = instance_of(deployed)
    if not has_ssh(deployed):
        raise UsageError(
            "This stack has no SSH key",
            field=deployed.stack,
            fix="connect through Session Manager: biomodal-aws connect --ssm",
        )
    host, port = _address(
        # Without an Elastic IP there is a private way at most: a VPN, or a machine beside it.
        address or deployed.outputs.get("public_ip") or deployed.output("private_ip")
    )
    user = deployed.output("ssh_user")
    if not _USER.fullmatch(user):
        raise UsageError("invalid Linux user name", field="ssh_user", value=user)
    return SshTarget(
        name=deployed.outputs.get("vm_name") or deployed.stack,
        address=host,
        port=port,
        user=user,
        key=_expanded(deployed.output("private_key_filename"), environment),
        known_hosts=private_dir(folder / "ssh") / "known_hosts",
        instance_id=instance_id,
        region=deployed.region,
    )


def check_key(target: SshTarget) -> None:
    """Make sure that ssh will take the key file.

    Raises:
        UsageError: missing, unreadable, or open to others.
    """
    field = "private_key_filename"
    try:
        found = target.key.stat()
        read_regular(target.key, 1)
    except FileNotFoundError:
        raise UsageError(
            "The private key is not on this machine",
            field=field,
            value=str(target.key),
            fix="copy it from where the stack was applied, with mode 600; or connect "
            "without it: biomodal-aws connect --ssm",
        ) from None
    except OSError as error:
        raise UsageError(
            f"The private key cannot be read ({error.strerror})",
            field=field,
            value=str(target.key),
            fix="it has to be a file of your own with mode 600",
        ) from None
    # As ssh does: a key of someone else's that is readable is that person's affair.
    if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) & _OTHERS:
        raise UsageError(
            f"Others can read the private key (mode {stat.S_IMODE(found.st_mode):o}), so ssh "
            "refuses it",
            field=field,
            value=str(target.key),
            fix=f"chmod 600 {shlex.quote(str(target.key))}",
        )


def _address(given: str) -> tuple[str, int]:
    host, separator, port = given.rpartition(":")
    if not separator or ":" in host:
        # No port, or an IPv6 address.
        host, port = given, str(SSH_PORT)
    if not (_is_ip(host) or _HOST.fullmatch(host)):
        raise UsageError("invalid host name or address", field="--address", value=given)
    if not (_PORT.fullmatch(port) and 0 < int(port) < 1 << 16):
        raise UsageError(
            "A port is a number from 1 to 65535", field="--address", value=given, fix="HOST:PORT"
        )
    return host, int(port)


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    # Python takes any text for the zone of an IPv6 address, lines of a configuration included.
    _, separator, zone = host.partition("%")
    return not separator or bool(_ZONE.fullmatch(zone))


def _expanded(path: str, environment: Mapping[str, str]) -> Path:
    """Return a path whose `~` stands for the home, as the upstream module leaves it."""
    if path == "~" or path.startswith("~/"):
        return Path(environment.get("HOME") or Path.home()) / path[2:]
    return Path(path)


_CONNECT_SECONDS: Final = 15
# A VM that went away is noticed within half a minute, and an idle session is kept open.
_ALIVE_SECONDS, _ALIVE_COUNT = 10, 3
_PROXY: Final = (
    "aws ssm start-session --region {region} --target %h --document-name AWS-StartSSHSession "
    "--parameters portNumber=%p"
)


def ssh_options(target: SshTarget) -> dict[str, str]:
    """Return the options of a connection, as ssh_config(5) names and quotes them.

    Raises:
        UsageError: A path cannot be written into an SSH configuration.
    """
    return {
        "User": target.user,
        "Port": str(target.port),
        "IdentityFile": quoted(target.key),
        "IdentitiesOnly": "yes",
        "PreferredAuthentications": "publickey",
        "HostKeyAlias": target.instance_id,
        "UserKnownHostsFile": quoted(target.known_hosts),
        # Debian's and Ubuntu's default hides names, and whether the VM is known is read there.
        "HashKnownHosts": "no",
        "StrictHostKeyChecking": "accept-new",
        "ConnectTimeout": str(_CONNECT_SECONDS),
        "ServerAliveInterval": str(_ALIVE_SECONDS),
        "ServerAliveCountMax": str(_ALIVE_COUNT),
    }


def ssh_command(
    target: SshTarget, words: Sequence[str], *, program: str = "ssh", log: Path, batch: bool = False
) -> list[str]:
    """Return the argument list of one connection.

    Args:
        words: What to run there, joined by ssh with spaces; none for a login shell.
        program: The ssh to run.
        log: Where ssh writes its own messages, so that they can be told from the command's.
        batch: Whether nobody can be asked for anything.
    """
    options = ssh_options(target)
    if batch:
        options |= {"BatchMode": "yes"}
    pairs = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return [program, "-E", str(log), *pairs, "--", target.address, *words]


def host_block(target: SshTarget, *, through: SessionTarget | None = None) -> str:
    """Return a `Host` block for an SSH configuration.

    Args:
        through: Session Manager, to carry SSH where port 22 is closed.
    """
    # The zone of an IPv6 address stands behind a %, which begins a token there.
    options = {"HostName": target.address.replace("%", "%%"), **ssh_options(target)}
    if through:
        options |= {
            "HostName": through.instance_id,
            "Port": "22",
            "ProxyCommand": _PROXY.format(region=through.region),
        }
    lines = [f"    {name} {value}" for name, value in options.items()]
    return "\n".join([f"Host {target.name}", *lines]) + "\n"


def quoted(path: Path) -> str:
    """Return a path as a value of an SSH configuration.

    Raises:
        UsageError: It holds what no SSH configuration can.
    """
    text = str(path)
    if '"' in text or "\\" in text or not text.isprintable():
        raise UsageError(
            "An SSH configuration cannot name this path",
            field="path",
            value=text,
            fix="use a folder whose name has no quotation mark, backslash or control character",
        )
    # ssh expands %-tokens and, in some options, ${VARIABLES}.
    text = text.replace("%", "%%")
    return f'"{text}"' if any(mark in text for mark in " #=,;") else text
