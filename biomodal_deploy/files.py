"""The user's cache folder, and files in it that nobody else can read or write.

What is kept there is run by Node or becomes a plan, so it has to be this user's own. The construct
library keeps its slices here too: this module imports nothing but the standard library.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

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
