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

from biomodal_deploy.files import read_regular

_FIELD: Final = re.compile(
    r"^\s*(ID|Path|Operation|Who|Version|Created):[ \t]*(.*?)\s*$", re.MULTILINE
)
_FRACTION: Final = re.compile(r"(?<=:\d\d)\.\d+")
# Terraform could not read what is in the lock's place, or could not write it there.
_UNUSABLE: Final = re.compile(
    r"unmarshal\b.*\block ?info\b|could not write lock info|Lock Info:\s*ID:[ \t]*$"
    r"|resource temporarily unavailable",
    re.IGNORECASE | re.MULTILINE,
)


class LockInfo(BaseModel, frozen=True):
    """What Terraform writes of a lock when it takes it.

    Attributes:
        id: What `force-unlock` asks for; empty where the lock cannot be read.
        path: The state; of a lock that cannot be read the lock itself.
        who: User and machine; of a lock that cannot be read the process, where it is known.
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
        if not self.id:
            where = f"{self.path} is empty, damaged or in the way"
            return f"the state is locked by {self.who}" if self.who else f"the lock {where}"
        return f"the state is locked, {self.holder}"

    @property
    def holder(self) -> str:
        """Who holds it, for what and since when."""
        doing = self.operation.removeprefix("OperationType").lower() or "unknown"
        # Go writes nanoseconds, and the zone twice.
        created = _FRACTION.sub("", self.created).replace(" +0000 UTC", " UTC")
        when = f" since {created}" if created else ""
        return f"held by {self.who or 'unknown'} ({doing}){when}, id {self.id}"


def lock_in_text(text: str) -> LockInfo | None:
    """Return the lock that an error of Terraform's describes."""
    fields = dict(_FIELD.findall(text))
    return LockInfo.model_validate(fields) if fields.get("ID") else None


def is_unusable(text: str) -> bool:
    """Whether an error of Terraform's is about a lock that names no holder."""
    return bool(_UNUSABLE.search(text))


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
        # A pipe would wait for whoever writes into it.
        descriptor = os.open(state, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None  # no state yet
    try:
        holder = lock_holder(descriptor)
    finally:
        os.close(descriptor)
    if holder is None:
        return None
    description = lock_file(state)
    try:
        return LockInfo.model_validate_json(read_regular(description))
    except (OSError, ValidationError):
        process = f"process {holder}" if holder > 0 else "another process"
        return LockInfo(ID="", Path=str(description), Who=f"{process} of this machine")


def lock_file(state: Path) -> Path:
    """Return the file in which Terraform describes the lock of a local state."""
    return state.with_name(f".{state.name}.lock.info")


def lock_holder(descriptor: int) -> int | None:
    """Return the process that holds a record lock on an open file; None where there is none.

    It only asks: taking the lock to try it could make a Terraform that starts now fail. The number
    is 0 or less where the system does not say it, as from within a container.
    """
    kind, whence, start, length, pid = fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0
    try:
        # The two systems order `struct flock` differently.
        if sys.platform == "darwin":
            question = struct.pack("qqihh", start, length, pid, kind, whence)
            answer = struct.unpack("qqihh", fcntl.fcntl(descriptor, fcntl.F_GETLK, question))
            pid, kind = answer[2], answer[3]
        else:
            question = struct.pack("hhqqi", kind, whence, start, length, pid)
            answer = struct.unpack("hhqqi", fcntl.fcntl(descriptor, fcntl.F_GETLK, question))
            kind, pid = answer[0], answer[4]
    except OSError:
        return None
    return None if kind == fcntl.F_UNLCK else pid
