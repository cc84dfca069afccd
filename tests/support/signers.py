"""People with real SSH keys, and the file of who may sign."""

from __future__ import annotations

import subprocess
from pathlib import Path


def make_key(folder: Path, name: str, kind: str = "ed25519") -> Path:
    """Make a key pair without a passphrase; return the private key."""
    path = folder / name
    bits = ["-b", "2048"] if kind == "rsa" else []
    command = ["ssh-keygen", "-q", "-t", kind, *bits, "-N", "", "-C", name, "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


def signers_line(principal: str, key: Path, options: str = "") -> str:
    """Return a line of the file of who may sign."""
    kind, text, *_ = key.with_name(f"{key.name}.pub").read_text().split()
    return " ".join(filter(None, (principal, options, kind, text))) + "\n"
