"""What ssh is told, once for the command line and for a `Host` block.

Host keys are kept apart from the user's own, in the stack's folder, under the VM's id: a VM
that was replaced is a new host and no alarm, the same VM with another key is one. `accept-new`
takes the key of a host that is not known yet, and refuses one that has changed (ssh_config(5)).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from biomodal_deploy.errors import UsageError
from biomodal_deploy.vm.access import SessionWay, SshWay

_CONNECT_SECONDS: Final = 15
# A VM that went away is noticed within half a minute, and an idle session is kept open.
_ALIVE_SECONDS, _ALIVE_COUNT = 10, 3
_PROXY: Final = (
    "aws ssm start-session --region {region} --target %h --document-name AWS-StartSSHSession "
    "--parameters portNumber=%p"
)


def ssh_options(way: SshWay) -> dict[str, str]:
    """Return the options of a connection, as ssh_config(5) names and quotes them.

    Raises:
        UsageError: A path cannot be written into an SSH configuration.
    """
    return {
        "User": way.user,
        "Port": str(way.port),
        "IdentityFile": quoted(way.key),
        "IdentitiesOnly": "yes",
        "PreferredAuthentications": "publickey",
        "HostKeyAlias": way.instance_id,
        "UserKnownHostsFile": quoted(way.known_hosts),
        # Debian's and Ubuntu's default hides names, and whether the VM is known is read there.
        "HashKnownHosts": "no",
        "StrictHostKeyChecking": "accept-new",
        "ConnectTimeout": str(_CONNECT_SECONDS),
        "ServerAliveInterval": str(_ALIVE_SECONDS),
        "ServerAliveCountMax": str(_ALIVE_COUNT),
    }


def ssh_command(
    way: SshWay, words: Sequence[str], *, program: str = "ssh", log: Path, batch: bool = False
) -> list[str]:
    """Return the argument list of one connection.

    Args:
        words: What to run there, joined by ssh with spaces; none for a login shell.
        program: The ssh to run.
        log: Where ssh writes its own messages, so that they can be told from the command's.
        batch: Whether nobody can be asked for anything.
    """
    options = ssh_options(way)
    if batch:
        options |= {"BatchMode": "yes"}
    pairs = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return [program, "-E", str(log), *pairs, "--", way.address, *words]


def host_block(way: SshWay, *, through: SessionWay | None = None) -> str:
    """Return a `Host` block for an SSH configuration.

    Args:
        through: Session Manager, to carry SSH where port 22 is closed.
    """
    options = {"HostName": way.address, **ssh_options(way)}
    if through:
        options |= {
            "HostName": through.instance_id,
            "Port": "22",
            "ProxyCommand": _PROXY.format(region=through.region),
        }
    lines = [f"    {name} {value}" for name, value in options.items()]
    return "\n".join([f"Host {way.name}", *lines]) + "\n"


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
