"""Where a state is, who holds its lock, and the command that takes the lock away.

A local state is read here, which saves a process.
"""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import struct
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, Field, ValidationError

from biomodal_deploy.engine.terraform.results import StateHeader
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular

_FIELD: Final = re.compile(
    r"^\s*(ID|Path|Operation|Who|Version|Created):[ \t]*(.*?)\s*$", re.MULTILINE
)
_FRACTION: Final = re.compile(r"(?<=:\d\d)\.\d+")
# Terraform could not read what is in the lock's place, or could not write it there; where the disk
# is at fault, no removal helps.
_UNUSABLE: Final = re.compile(
    r"unmarshal\b.*\block ?info\b|Lock Info:\s*ID:[ \t]*$"
    r"|could not write lock info(?!(?s:.*?)(?:no space left|quota exceeded|read-only))"
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
    words = ("force-unlock", "-force", lock_id)
    return shell_command(
        argv_prefix, words, directory=directory, workspace=workspace, data_dir=data_dir
    )


def shell_command(
    argv_prefix: Sequence[str],
    words: Sequence[str],
    *,
    directory: Path,
    workspace: str = "default",
    data_dir: Path | None = None,
) -> str:
    """Return a command of Terraform as it can be pasted into a shell anywhere."""
    settings = [] if workspace == "default" else [f"TF_WORKSPACE={shlex.quote(workspace)}"]
    settings += [] if data_dir is None else [f"TF_DATA_DIR={shlex.quote(str(data_dir))}"]
    command = [*argv_prefix, f"-chdir={directory}", *words]
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


DEFAULT_WORKSPACE: Final = "default"
_STATE: Final = "terraform.tfstate"


_WORKSPACES_IN_S3: Final = "env:"


class _Config(BaseModel):
    path: str | None = None
    workspace_dir: str | None = None
    bucket: str = ""
    key: str = ""
    region: str | None = None
    profile: str | None = None
    workspace_key_prefix: str | None = None


class _Backend(BaseModel):
    type: str = "local"
    config: _Config = _Config()


class _Known(StateHeader):
    version: Literal[4] = 4
    """Of the format: Terraform itself says what to do with any other."""


class _Initialized(BaseModel):
    backend: _Backend


@dataclass(frozen=True)
class S3Object:
    """An object of an S3 backend.

    Attributes:
        access: What the AWS CLI has to be told besides, as the backend has it.
    """

    bucket: str
    key: str
    access: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def lock(self) -> S3Object:
        """The object that locks it, as Terraform names it."""
        return S3Object(self.bucket, f"{self.key}.tflock", self.access)

    def command(self, operation: str, *options: str) -> str:
        """Return a shell command of the AWS CLI about its bucket."""
        words = ("aws", "s3api", operation, "--bucket", self.bucket, *options, *self.access)
        return shlex.join(words)


def state_object(settings: Mapping[str, object], workspace: str) -> S3Object:
    """Return where an S3 backend keeps a workspace's state."""
    config = _Config.model_validate(settings)
    key = config.key
    if workspace != DEFAULT_WORKSPACE:
        key = f"{config.workspace_key_prefix or _WORKSPACES_IN_S3}/{workspace}/{key}"
    region = ("--region", config.region) if config.region else ()
    profile = ("--profile", config.profile) if config.profile else ()
    return S3Object(config.bucket, key, (*region, *profile))


def state_path(settings: Mapping[str, object], workspace: str) -> Path:
    """Return where a local backend keeps a workspace's state, from the stack's directory.

    Args:
        settings: The backend's, as configured; `path` is for the workspace `default` alone.
    """
    if workspace == DEFAULT_WORKSPACE:
        return Path(str(settings.get("path") or _STATE))
    return Path(str(settings.get("workspace_dir") or "terraform.tfstate.d"), workspace, _STATE)


def state_place(directory: Path, data_dir: Path, workspace: str) -> Path | S3Object | None:
    """Return where the backend that a directory is initialized for keeps the state.

    A file, or an object in S3; None where the backend is another.

    Raises:
        UsageError: Something else than a file is in a local state's place.
    """
    try:
        settings = read_regular(data_dir / "terraform.tfstate")
        backend = _Initialized.model_validate_json(settings).backend
    except FileNotFoundError:
        backend = _Backend()  # no backend block, or nothing initialized yet
    except ValidationError:
        return None
    if backend.type == "s3":
        return state_object(backend.config.model_dump(), workspace)
    if backend.type != "local":
        return None
    state = directory / state_path(backend.config.model_dump(), workspace)
    if state.exists() and not state.is_file():
        # Terraform would wait for whoever writes into a pipe.
        raise UsageError(
            "not a regular file, and so not a state",
            field=str(state.resolve()),
            fix="move it away, and restore the state from its backup",
        )
    return state


def local_content(
    directory: Path, data_dir: Path, workspace: str, *, absent: bytes | None = None
) -> bytes | None:
    """Return a local backend's state.

    None where Terraform has to say it: the directory is not initialized, so that nobody knows yet
    where its state is; or the file is not as expected.

    Args:
        absent: What is returned where there is no file. None has Terraform asked, and with it what
            is installed compared with the lock file, which an apply needs before it claims a plan.
    """
    if not (data_dir / _STATE).exists():
        return None
    state = state_place(directory, data_dir, workspace)
    if not isinstance(state, Path):
        return None
    try:
        content = read_regular(state)
        _Known.model_validate_json(content)
    except FileNotFoundError:
        return absent
    except (OSError, ValidationError):
        return None
    return content
