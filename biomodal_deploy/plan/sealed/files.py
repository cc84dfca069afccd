"""Files and folders as they are read: what others could have touched is refused, and digests."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from biomodal_deploy import folders
from biomodal_deploy.errors import SealedPlanRefused, UsageError
from biomodal_deploy.files import PRIVATE_FILE, memory_file, path_of, regular, seal, writing

_Model = TypeVar("_Model", bound=BaseModel)

_OTHERS: Final = 0o077


def canonical(value: object) -> bytes:
    """Return the one JSON text that stands for a value: what digests are taken of."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@contextlib.contextmanager
def opened(path: Path) -> Iterator[int]:
    """Open a private file, and refuse one that others could have touched.

    What is checked is the file that is open, so it cannot be exchanged in between.

    Raises:
        SealedPlanRefused: missing, a link, of someone else, or open to others.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise SealedPlanRefused("missing_file", f"{path} is missing.") from None
    except OSError as error:
        if path.is_symlink():
            raise SealedPlanRefused("symlink", f"{path} is a symbolic link.") from None
        raise SealedPlanRefused(
            "unreadable", f"{path} cannot be read ({error.strerror})."
        ) from None
    try:
        check_private(path, os.fstat(descriptor), directory=False)
        yield descriptor
    finally:
        os.close(descriptor)


def check_private(path: Path, status: os.stat_result, *, directory: bool) -> None:
    """Refuse what is a link, of another kind, of someone else, or open to others."""
    if stat.S_ISLNK(status.st_mode):
        raise SealedPlanRefused("symlink", f"{path} is a symbolic link.")
    if not (stat.S_ISDIR if directory else stat.S_ISREG)(status.st_mode):
        raise SealedPlanRefused("malformed", f"{path} is no {'folder' if directory else 'file'}.")
    if status.st_uid != os.geteuid():
        raise SealedPlanRefused("wrong_owner", f"{path} belongs to another user ({status.st_uid}).")
    mode = stat.S_IMODE(status.st_mode)
    if mode & _OTHERS:
        raise SealedPlanRefused(
            "readable_by_others",
            f"{path} is open to others (mode {mode:04o}): they may have read its secrets or"
            " changed it.",
        )


def read_model(path: Path, model: type[_Model], most: int) -> _Model | None:
    """Return what a private file holds; None where it cannot be read, or is something else."""
    try:
        return model.model_validate_json(read_private(path, most))
    except (SealedPlanRefused, ValidationError):
        return None


def check_folders(path: Path) -> None:
    """Refuse a folder where others could put another sealed plan in the place of one of ours.

    Raises:
        SealedPlanRefused: Another user owns it or one above it, or can write to one.
    """
    try:
        folders.check_folders(path)
    except folders.UntrustedError as error:
        if error.foreign:
            raise SealedPlanRefused("wrong_owner", f"{error}.") from None
        raise SealedPlanRefused("writable_by_others", f"{error}.") from None


def read_private(path: Path, most: int) -> bytes:
    """Read a private file of limited size."""
    with opened(path) as descriptor, os.fdopen(os.dup(descriptor), "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise SealedPlanRefused("malformed", f"{path} is larger than {most:,} bytes.")
    return content


_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class Held:
    """A copy of a file.

    Attributes:
        path: Where a child process can open it, as long as this process lives.
        in_memory: Whether it is on no disk, and nobody can write to it any more.
    """

    path: Path
    sha256: str
    in_memory: bool


@contextlib.contextmanager
def held(path: Path, fallback: Path) -> Iterator[Held]:
    """Copy a private file, and hash the copy: between a check and a use nothing can be exchanged.

    The copy is in memory and sealed by the kernel where there is such a thing (Linux), so a kill
    leaves no secret behind. Elsewhere it is a private file.

    Args:
        fallback: Where the copy is made if it cannot be in memory; taken away at the end.

    Raises:
        SealedPlanRefused: The file is missing, or others could have touched it.
    """
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(opened(path))
        descriptor = memory_file()
        in_memory = descriptor is not None
        if descriptor is None:
            stack.callback(fallback.unlink, missing_ok=True)
            fallback.unlink(missing_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with writing(fallback):
                descriptor = os.open(fallback, flags, PRIVATE_FILE)
        stack.callback(os.close, descriptor)
        digest = hashlib.sha256()
        with writing(fallback):
            while chunk := os.read(source, _CHUNK):
                digest.update(chunk)
                while chunk:
                    chunk = chunk[os.write(descriptor, chunk) :]
        if in_memory:
            seal(descriptor)
        yield Held(path_of(descriptor) if in_memory else fallback, digest.hexdigest(), in_memory)


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
        "errored.tfstate",
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
    # Providers are compared with checksums, and may be shared on purpose.
    installed = root / ".terraform" / "providers"
    parents = {root}
    try:
        for path in _walk(root, (), ()):
            status = _ordinary(path)
            if not path.is_relative_to(installed):
                parents.add(path.parent)
                if not stat.S_ISLNK(status.st_mode):
                    folders.check_owner(path, status)
        for folder in parents:
            folders.check_folders(folder)
    except folders.UntrustedError as error:
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
