"""Private files as they are read: refused where somebody else could have touched them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from biomodal_deploy import folders
from biomodal_deploy.errors import SealedPlanRefused
from biomodal_deploy.files import PRIVATE_FILE, memory_file, path_of, seal, writing

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
