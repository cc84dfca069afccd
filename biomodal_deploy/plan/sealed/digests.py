"""Digests of files, and of folders whatever order the system lists them in."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import stat
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import regular
from biomodal_deploy.folders import UntrustedError, check_folders
from biomodal_deploy.plan.sealed.files import opened

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
# Written by Terraform beside the configuration: exactly these, at exactly this place. A pattern
# would pass over `evil.tfstate.tf`, which Terraform loads. The provider lock file is sealed by
# itself, and so is each module.
TERRAFORMS_OWN: Final = frozenset(
    {
        ".terraform",
        ".terraform.lock.hcl",
        ".terraform.tfstate.lock.info",
        "crash.log",
        "terraform.tfstate",
        "terraform.tfstate.backup",
        "terraform.tfstate.d",
    }
)


def sha256(content: bytes) -> str:
    """Return the SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def file_sha256(path: Path) -> str | None:
    """Return a file's SHA-256; None where there is no such file."""
    try:
        with regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(
            f"cannot be read ({error.strerror})", field=str(path), fix="make it readable"
        ) from None


def private_sha256(path: Path) -> str:
    """Return the SHA-256 of a file that only its owner may touch."""
    with opened(path) as descriptor, os.fdopen(os.dup(descriptor), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tree_sha256(root: Path, *, ignore: Collection[str] = TERRAFORMS_OWN) -> str:
    """Return one digest for everything in a folder: names, contents, links, executable bits.

    Args:
        ignore: What is left out, as paths relative to the folder; by default what Terraform itself
            writes there.

    Raises:
        UsageError: no such folder, or something in it is neither file, folder nor link.
    """
    digest = hashlib.sha256()
    if not root.is_dir():
        raise UsageError("no such folder", field=str(root), fix="run biomodal-aws synth")
    for path in sorted(_walk(root, {root / each for each in ignore}, ()), key=os.fsencode):
        status = _ordinary(path)
        # A link counts as the link and as what it leads to: Terraform follows it.
        link = os.fsencode(path.readlink()) if path.is_symlink() else b""
        kind = b"x" if status.st_mode & stat.S_IXUSR else b"-"
        parts = (
            os.fsencode(path.relative_to(root)),
            kind,
            link,
            (file_sha256(path) or "").encode(),
        )
        digest.update(b"\0".join(parts) + b"\n")
    return digest.hexdigest()


def check_tree(root: Path) -> None:
    """Refuse what Terraform would wait for in its working folder, and what others could exchange.

    Raises:
        UsageError: There is a pipe or the like, or another user could write something there.
    """
    # What is installed there is compared with checksums, and may be shared on purpose.
    installed = root / ".terraform"
    folders = {root}
    for path in _walk(root, (), ()):
        status = _ordinary(path)
        if not path.is_relative_to(installed):
            folders.add(path.parent)
            if status.st_mode & stat.S_IWOTH and stat.S_ISREG(status.st_mode):
                fix = f"chmod go-w {shlex.quote(str(path))}"
                raise UsageError("can be written by others", field=str(path), fix=fix)
    try:
        for folder in folders:
            check_folders(folder)
    except UntrustedError as error:
        raise UsageError(
            f"{error}, and Terraform would run what they write", field=str(root), fix="change that"
        ) from None


def _ordinary(path: Path) -> os.stat_result:
    """Return the status of a file, or of a link to none; refuse a pipe, a socket or a device."""
    status = path.stat() if path.exists() else path.lstat()
    if not stat.S_ISLNK(status.st_mode) and not stat.S_ISREG(status.st_mode):
        raise UsageError("not a regular file", field=str(path), fix="remove it")
    return status


def _walk(folder: Path, ignore: Collection[Path], above: tuple[str, ...]) -> Iterator[Path]:
    real = str(folder.resolve())
    if real in above:  # a link that leads back to where we came from
        return
    for path in folder.iterdir():
        if path in ignore:
            continue
        if path.is_dir():
            yield from _walk(path, ignore, (*above, real))
        else:
            yield path


def typed_sha256(text: str, *, field: str, fix: str) -> str:
    """Return a SHA-256 that somebody typed or pasted, in lower case.

    Args:
        field: The option that it was given to.
        fix: Where to copy it from.

    Raises:
        UsageError: It is none.
    """
    digest = text.strip().lower()
    if not _SHA256.fullmatch(digest):
        rule = "A SHA-256 has 64 hexadecimal digits"
        raise UsageError(rule, field=field, value=digest, fix=fix)
    return digest
