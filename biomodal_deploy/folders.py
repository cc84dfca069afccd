"""Private folders, in whose place nobody else can put another; the user's cache folder among them.

What is kept in the cache is run by Node or becomes a plan, so it has to be this user's own. The
construct library keeps its slices in it, so this module stays light.
"""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import shutil
import stat
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

# Every right of everybody but the owner.
OTHERS: Final = 0o077


class UntrustedError(OSError):
    """Someone else can write to a folder, or wrote it.

    Args:
        foreign: Whether it belongs to another user.
    """

    def __init__(self, message: str, *, foreign: bool = True) -> None:
        super().__init__(message)
        self.foreign = foreign


def cache_folder(*names: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Return a private folder in the user's cache folder.

    Args:
        environment: Where the user may have said which folder that is.

    Raises:
        OSError: There is none that can be written to and is safe from others.
    """
    return private_folder(_cache_home(environment), "biomodal-aws", *names)


def private_folder(parent: Path, *names: str) -> Path:
    """Return a private folder below a parent; make it, or make it again where it is not private.

    Args:
        parent: A folder whose own parents nobody else can exchange.
        names: The folders below it, all of them private.

    Raises:
        OSError: It cannot be made, or others could put something else in its place.
    """
    parent = parent.resolve()
    _make(parent)
    check_folders(parent)
    for name in names:
        parent = parent / name
        if parent.is_symlink() or (parent.exists() and not is_private(parent)):
            _discard(parent)
        parent.mkdir(mode=0o700, exist_ok=True)
        if not is_private(parent):
            raise UntrustedError(f"{parent} belongs to someone else")
    return parent


def _make(path: Path) -> None:
    """Make a folder and those above it that are missing, for this user alone."""
    for missing in reversed([each for each in (path, *path.parents) if not each.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


def check_folders(path: Path) -> None:
    """Refuse a folder in whose place, or in that of one above it, another user could put another.

    As ssh judges the folders of its keys: owner and mode of each, down from the root. A folder with
    the sticky bit (`/tmp`) lets nobody exchange what is another's, and a group that has no other
    member is nobody else.

    Args:
        path: The folder; one that a link leads through is judged with the link's folders too.

    Raises:
        UntrustedError: Another user owns one, or can write to it.
        OSError: One of them cannot be read.
    """
    path, real = path.absolute(), path.resolve()
    for folder in dict.fromkeys((path, *path.parents, real, *real.parents)):
        check_owner(folder, folder.stat())


def check_owner(path: Path, found: os.stat_result) -> None:
    """Refuse a folder or file that another user owns or can write to.

    Args:
        found: Its status.

    Raises:
        UntrustedError: Another user does.
    """
    if found.st_uid not in (0, os.geteuid()):
        raise UntrustedError(f"{path} belongs to another user ({found.st_uid})")
    if found.st_mode & stat.S_ISVTX and stat.S_ISDIR(found.st_mode):
        return
    if found.st_mode & stat.S_IWOTH or (
        found.st_mode & stat.S_IWGRP and not _is_own_group(found.st_gid)
    ):
        raise UntrustedError(
            f"{path} can be written by others (chmod go-w {shlex.quote(str(path))})",
            foreign=False,
        )


def is_private(path: Path) -> bool:
    """Say whether a folder or file is this user's and nobody else can read or write it."""
    found = path.lstat()
    kind = stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode)
    return kind and found.st_uid == os.geteuid() and not found.st_mode & OTHERS


def _cache_home(environment: Mapping[str, str]) -> Path:
    configured = Path(environment.get("XDG_CACHE_HOME", ""))
    if configured.is_absolute():
        return configured
    try:
        home = Path(environment.get("HOME") or Path.home())
    except RuntimeError as error:
        raise OSError(str(error)) from error
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache")


def _is_own_group(gid: int) -> bool:
    """Whether a group is this user's private one, as systems with umask 002 make for each user."""
    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(gid)
    except KeyError:
        return False
    return (
        user.pw_gid == gid
        and group.gr_name == user.pw_name
        and not {*group.gr_mem} - {user.pw_name}
    )


def _discard(path: Path) -> None:
    # Out of the way first: what cannot be removed for its owner can still be moved.
    aside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}-"))
    path.rename(aside / path.name)
    if (aside / path.name).is_symlink():
        (aside / path.name).unlink()
    shutil.rmtree(aside, ignore_errors=True)
