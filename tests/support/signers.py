"""People with real SSH keys, and the file of who may sign."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory


def make_key(folder: Path, name: str, kind: str = "ed25519") -> Path:
    """Make a key pair without a passphrase, the same one for a name; return the private key."""
    path = folder / name
    private, public = _key_pair(name, kind)
    path.touch(mode=0o600)
    path.write_bytes(private)
    path.with_name(f"{name}.pub").write_bytes(public)
    return path


@cache
def _key_pair(name: str, kind: str) -> tuple[bytes, bytes]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "key"
        bits = ["-b", "2048"] if kind == "rsa" else []
        command = ["ssh-keygen", "-q", "-t", kind, *bits, "-N", "", "-C", name, "-f", str(path)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return path.read_bytes(), path.with_name("key.pub").read_bytes()


def signers_line(principal: str, key: Path, options: str = "") -> str:
    """Return a line of the file of who may sign."""
    kind, text, *_ = key.with_name(f"{key.name}.pub").read_text().split()
    return " ".join(filter(None, (principal, options, kind, text))) + "\n"
