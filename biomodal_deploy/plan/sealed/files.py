"""Files that only their owner may read, written whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from biomodal_deploy.errors import BundleRefused, UsageError

PRIVATE_DIR: Final = 0o700
PRIVATE_FILE: Final = 0o600
_OTHERS: Final = 0o077


def canonical(value: object) -> bytes:
    """Return the one JSON text that stands for a value: what digests are taken of."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a full disk, a read-only folder and the like into one clear line.

    Raises:
        UsageError: The system refused to write.
    """
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"It cannot be written ({error.strerror or error})",
            field=str(path),
            fix="free some space there, or mend its permissions",
        ) from None


def private_dir(path: Path) -> Path:
    """Make a folder that only its owner can enter, or make an existing one so."""
    with writing(path):
        path.mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)
        if stat.S_IMODE(path.stat().st_mode) & _OTHERS:
            path.chmod(PRIVATE_DIR)
    return path


def write_new(path: Path, content: bytes) -> bool:
    """Write a file that must not exist yet, down to the disk.

    Returns:
        False where it exists: of two that try at once exactly one gets True. A file that could
        not be written whole is taken away again.

    Raises:
        UsageError: The system refused to write.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with writing(path):
        try:
            descriptor = os.open(path, flags, PRIVATE_FILE)
        except FileExistsError:
            return False
    try:
        with writing(path), os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        sync(path.parent)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return True


def replace(path: Path, content: bytes) -> None:
    """Write a file whole, in the place of one that may be there."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    write_new(draft, content)
    with writing(path):
        draft.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Bring a file or a folder's entries down to the disk."""
    with writing(path):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[int]:
    """Open a private file, and refuse one that others could have touched.

    What is checked is the file that is open, so it cannot be exchanged in between.

    Raises:
        BundleRefused: It is missing, a link, of someone else, or open to others.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise BundleRefused("missing_file", f"{path} is missing.") from None
    except OSError as error:
        if path.is_symlink():
            raise BundleRefused("symlink", f"{path} is a symbolic link.") from None
        raise BundleRefused("unreadable", f"{path} cannot be read ({error.strerror}).") from None
    try:
        check_private(path, os.fstat(descriptor), directory=False)
        yield descriptor
    finally:
        os.close(descriptor)


def check_private(path: Path, status: os.stat_result, *, directory: bool) -> None:
    """Refuse what is a link, of another kind, of someone else, or open to others."""
    if stat.S_ISLNK(status.st_mode):
        raise BundleRefused("symlink", f"{path} is a symbolic link.")
    if not (stat.S_ISDIR if directory else stat.S_ISREG)(status.st_mode):
        raise BundleRefused("malformed", f"{path} is no {'folder' if directory else 'file'}.")
    if status.st_uid != os.geteuid():
        raise BundleRefused("wrong_owner", f"{path} belongs to another user ({status.st_uid}).")
    mode = stat.S_IMODE(status.st_mode)
    if mode & _OTHERS:
        raise BundleRefused(
            "readable_by_others",
            f"{path} is open to others (mode {mode:04o}): they may have read its secrets or"
            " changed it.",
        )


def read_private(path: Path, most: int) -> bytes:
    """Read a private file of limited size."""
    with opened(path) as descriptor, os.fdopen(os.dup(descriptor), "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise BundleRefused("malformed", f"{path} is larger than {most:,} bytes.")
    return content
