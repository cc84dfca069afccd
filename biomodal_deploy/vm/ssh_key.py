"""The VM's SSH key pair, made outside Terraform, which would keep its private half in state."""

from __future__ import annotations

import errno
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from biomodal_deploy import files
from biomodal_deploy.errors import UsageError

_SAFE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class KeyFiles:
    """Where the two halves lie, `NAME.pem` and `NAME.pub`, as the outputs say.

    Attributes:
        private: The private key, mode 0600.
        public: The public key, which Terraform reads.
        made: Whether anything was written.
    """

    private: Path
    public: Path
    made: bool


def make_key(directory: Path, name: str) -> KeyFiles:
    """Make an ed25519 key pair, or the missing public half of one; never overwrite a key.

    Args:
        directory: Where to, usually `~/.ssh`; made with mode 0700 where it is missing.
        name: The VM's name.

    Raises:
        UsageError: The name is no file name, or a private key that is there cannot be read.
    """
    if not _SAFE_NAME.fullmatch(name):
        raise UsageError(
            "invalid file name: letters, digits, dots, hyphens and underscores only",
            field="name",
            value=name,
            fix="give the vm_name of terraform.tfvars",
        )
    private, public = directory / f"{name}.pem", directory / f"{name}.pub"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if private.exists() and public.exists():
        return KeyFiles(private, public, made=False)
    if private.exists():
        key = _read(private)
    elif public.exists():
        raise UsageError(
            "the public key exists without its private key",
            field=str(public),
            fix="move it away, or put the private key beside it",
        )
    else:
        key = Ed25519PrivateKey.generate()
        if not files.write_new(private, _private_text(key)):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(private))
    files.write(public, _public_text(key, name), mode=0o644)
    return KeyFiles(private, public, made=True)


def _read(private: Path) -> Ed25519PrivateKey:
    file, public = (shlex.quote(str(each)) for each in (private, private.with_suffix(".pub")))
    fix = f"write its public half with: ssh-keygen -y -f {file} > {public}"
    try:
        key = serialization.load_ssh_private_key(files.read_regular(private), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        raise UsageError("Its public half cannot be derived", field=str(private), fix=fix) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError("not an ed25519 key", field=str(private), fix=fix)
    return key


def _private_text(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )


def _public_text(key: Ed25519PrivateKey, comment: str) -> bytes:
    line = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return line + f" {comment}\n".encode()
