"""Private files as they are read: refused where somebody else could have touched them."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from biomodal_deploy import files as private
from biomodal_deploy.errors import SealedPlanRefused

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


def check_folders(path: Path) -> None:
    """Refuse a folder where others could put another sealed plan in the place of one of ours.

    Raises:
        SealedPlanRefused: Another user owns it or one above it, or can write to one.
    """
    try:
        private.check_folders(path)
    except private.UntrustedError as error:
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
