"""The VM's SSH host keys, from its console: AWS vouches for them, nobody in between can.

cloud-init prints them at the end of the first boot. Where they are there, the first connection
trusts what AWS says; where they are not, it trusts what it meets (`accept-new`).
"""

from __future__ import annotations

import re
from typing import Final

from biomodal_deploy import files as private
from biomodal_deploy.engine.terraform.events import plain
from biomodal_deploy.files import read_regular, writing
from biomodal_deploy.vm.access import SshWay

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


def is_known(way: SshWay) -> bool:
    """Say whether a key of this VM is kept already."""
    try:
        lines = read_regular(way.known_hosts).decode(errors="replace").splitlines()
    except FileNotFoundError:
        return False
    return any(line.partition(" ")[0] == way.instance_id for line in lines)


def keep(way: SshWay, keys: tuple[str, ...]) -> None:
    """Add host keys of a VM to the stack's known hosts.

    Raises:
        UsageError: The system refuses to write.
    """
    with writing(way.known_hosts):
        before = read_regular(way.known_hosts) if way.known_hosts.exists() else b""
        if before and not before.endswith(b"\n"):
            before += b"\n"
        added = "".join(f"{way.instance_id} {key}\n" for key in keys)
        private.write(way.known_hosts, before + added.encode())
