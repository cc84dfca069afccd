"""Private files and folders: written whole or not at all, for their owner's eyes only.

What is kept in the cache folder is run by Node or becomes a plan, so it has to be this user's own.
The construct library keeps its slices there too, so this module stays light.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from biomodal_deploy.errors import UsageError

PRIVATE_DIR: Final = 0o700
PRIVATE_FILE: Final = 0o600
_OTHERS: Final = 0o077
_OTHERS_WRITE: Final = 0o022


class UntrustedError(OSError):
    """Someone else can write to a folder, or wrote it."""


def cache_folder(*names: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Return a private folder in the user's cache folder.

    Args:
        names: What it is for.
        environment: Where the user may have said which folder that is.

    Raises:
        OSError: There is none that can be written to and is safe from others.
    """
    return folder(_cache_home(environment), "biomodal-aws", *names)


def folder(parent: Path, *names: str) -> Path:
    """Return a private folder below a parent; make it, or make it anew where it is not private.

    Args:
        parent: A folder whose own parents nobody else can exchange.
        names: The folders below it, all of them private.

    Raises:
        OSError: It cannot be made, or others could put something else in its place.
    """
    parent = parent.resolve()
    make(parent)
    _check_parents(parent)
    for name in names:
        parent = parent / name
        if parent.is_symlink() or (parent.exists() and not is_private(parent)):
            _discard(parent)
        parent.mkdir(mode=0o700, exist_ok=True)
        if not is_private(parent):
            raise UntrustedError(f"{parent} belongs to someone else")
    return parent


def make(path: Path) -> None:
    """Make a folder and those above it that are missing, for this user alone."""
    for missing in reversed([each for each in (path, *path.parents) if not each.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


def is_private(path: Path) -> bool:
    """Say whether a folder or file is this user's and nobody else can read or write it."""
    found = path.lstat()
    kind = stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode)
    return kind and found.st_uid == os.geteuid() and not found.st_mode & _OTHERS


def write(path: Path, content: bytes) -> None:
    """Write a private file in one step: a reader finds all of it or nothing."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


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
            f"cannot be written ({error.strerror or error})",
            field=str(path),
            fix="free some space there, or fix its permissions",
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


def _cache_home(environment: Mapping[str, str]) -> Path:
    configured = Path(environment.get("XDG_CACHE_HOME", ""))
    if configured.is_absolute():
        return configured
    try:
        home = Path(environment.get("HOME") or Path.home())
    except RuntimeError as error:
        raise OSError(str(error)) from error
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache")


def _check_parents(path: Path) -> None:
    for parent in (path, *path.parents):
        found = parent.stat()
        if found.st_uid not in (0, os.geteuid()):
            raise UntrustedError(f"{parent} belongs to another user")
        if found.st_mode & _OTHERS_WRITE and not found.st_mode & stat.S_ISVTX:
            raise UntrustedError(f"others can write to {parent} (chmod go-w {parent})")


def _discard(path: Path) -> None:
    # Out of the way first: what cannot be removed for its owner can still be moved.
    aside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}-"))
    path.rename(aside / path.name)
    if (aside / path.name).is_symlink():
        (aside / path.name).unlink()
    shutil.rmtree(aside, ignore_errors=True)
