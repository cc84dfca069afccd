"""Who holds the state's lock, and the command that takes it away."""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel, Field, ValidationError

_FIELD: Final = re.compile(
    r"^\s*(ID|Path|Operation|Who|Version|Created):[ \t]*(.*?)\s*$", re.MULTILINE
)
_FRACTION: Final = re.compile(r"(?<=:\d\d)\.\d+")


class LockInfo(BaseModel, frozen=True):
    """What Terraform writes of a lock when it takes it.

    Attributes:
        id: What `force-unlock` asks for.
        who: User and machine.
        operation: Such as `OperationTypeApply`.
        created: When it was taken, in Terraform's words.
    """

    id: str = Field(alias="ID")
    path: str = Field(default="", alias="Path")
    operation: str = Field(default="", alias="Operation")
    who: str = Field(default="", alias="Who")
    version: str = Field(default="", alias="Version")
    created: str = Field(default="", alias="Created")

    def __str__(self) -> str:
        doing = self.operation.removeprefix("OperationType").lower() or "unknown"
        # Go writes nanoseconds, and the zone twice.
        created = _FRACTION.sub("", self.created).replace(" +0000 UTC", " UTC")
        when = f" since {created}" if created else ""
        return f"held by {self.who or 'unknown'} ({doing}){when}, id {self.id}"


def lock_in_text(text: str) -> LockInfo | None:
    """Return the lock that an error of Terraform's describes."""
    fields = dict(_FIELD.findall(text))
    return LockInfo.model_validate(fields) if fields.get("ID") else None


def unlock_command(
    argv_prefix: Sequence[str],
    lock_id: str,
    *,
    directory: Path,
    workspace: str = "default",
    data_dir: Path | None = None,
) -> str:
    """Return the exact shell command that removes a lock nobody holds any more."""
    settings = [] if workspace == "default" else [f"TF_WORKSPACE={shlex.quote(workspace)}"]
    settings += [] if data_dir is None else [f"TF_DATA_DIR={shlex.quote(str(data_dir))}"]
    command = [*argv_prefix, f"-chdir={directory}", "force-unlock", "-force", lock_id]
    return " ".join([*settings, shlex.join(command)])


def local_lock(state: Path) -> LockInfo | None:
    """Return the lock on a local state file, if a living process holds it.

    The lock is the operating system's and ends with its process. The file that describes it does
    not: after a kill it lies there, says nothing, and `force-unlock` cannot remove it.
    """
    try:
        with state.open("rb") as file:
            if not is_locked(file.fileno()):
                return None
    except OSError:
        return None  # no state yet
    description = state.with_name(f".{state.name}.lock.info")
    try:
        return LockInfo.model_validate_json(description.read_bytes())
    except (OSError, ValidationError):
        return LockInfo(ID="unknown", Path=str(state))


def is_locked(descriptor: int) -> bool:
    """Return whether another process holds a record lock on an open file.

    It only asks: taking the lock to try it could make a Terraform that starts now fail.
    """
    kind, whence, start, length, pid = fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0
    try:
        # The two systems order `struct flock` differently.
        if sys.platform == "darwin":
            question = struct.pack("qqihh", start, length, pid, kind, whence)
            kind = struct.unpack("qqihh", fcntl.fcntl(descriptor, fcntl.F_GETLK, question))[3]
        else:
            question = struct.pack("hhqqi", kind, whence, start, length, pid)
            kind = struct.unpack("hhqqi", fcntl.fcntl(descriptor, fcntl.F_GETLK, question))[0]
    except OSError:
        return False
    return bool(kind != fcntl.F_UNLCK)
