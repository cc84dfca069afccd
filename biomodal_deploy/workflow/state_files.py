"""State files: what one holds, a private copy of it, and a hold on it while it is moved."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, Field, JsonValue, ValidationError

from biomodal_deploy.config.backends import local_path
from biomodal_deploy.engine.terraform.locks import local_lock
from biomodal_deploy.errors import EngineError, UsageError
from biomodal_deploy.files import private_dir, read_regular, replace
from biomodal_deploy.plan.sealed import sha256
from biomodal_deploy.plan.sealed.files import canonical
from biomodal_deploy.text import counted
from biomodal_deploy.workflow.stack import Stack

BACKUPS: Final = "backups"


class _Document(BaseModel):
    lineage: str
    serial: int = Field(ge=0)
    resources: list[JsonValue] = []
    outputs: dict[str, JsonValue] = {}


@dataclass(frozen=True)
class State:
    """One version of a state.

    Attributes:
        lineage: Which state it is.
        serial: Which version of it.
        sha256: Of what it holds, whatever its lineage and serial.
    """

    content: bytes
    lineage: str
    serial: int
    resources: int
    sha256: str
    is_empty: bool

    def __str__(self) -> str:
        return f"serial {self.serial}, {counted(self.resources, 'resource')}"


def parse_state(content: bytes, where: str) -> State | None:
    """Return what a state file says; None where nothing is written yet.

    Raises:
        UsageError: It is no state.
    """
    if not content.strip():
        return None  # Terraform leaves an empty file beside a lock
    try:
        found = _Document.model_validate_json(content)
    except ValidationError:
        # Its text quotes what is there: a state is full of secrets.
        raise UsageError(
            "not a Terraform state",
            field=where,
            fix="look at it, and put the right one there",
        ) from None
    if not found.lineage:
        return None  # what Terraform prints of a remote backend that holds none yet
    held = [found.resources, found.outputs]
    return State(
        content,
        found.lineage,
        found.serial,
        len(found.resources),
        sha256(canonical(held)),
        not found.resources and not found.outputs,
    )


def local_state_of(stack: Stack) -> Path:
    """Return where a stack's state lies while its backend is local."""
    return (stack.directory / local_path(stack.name)).resolve()


def resources_in(path: Path) -> int | None:
    """Return how many resources a state file holds, 0 where there is none; None for no state."""
    try:
        state = parse_state(read_regular(path), str(path))
    except FileNotFoundError:
        return 0
    except (OSError, UsageError):
        return None
    return state.resources if state else 0


def holdings(path: Path) -> str | None:
    """Return how much a state file holds, in words; None where that is nothing."""
    count = resources_in(path)
    if count is None:
        return "a state that cannot be read"
    return counted(count, "resource") if count else None


def backups_of(stack: Stack) -> Path:
    """Return the private folder that keeps states which were moved; it is made where missing."""
    return private_dir(local_state_of(stack).parent / BACKUPS)


def back_up(stack: Stack, state: State, label: str) -> Path:
    """Keep a private copy of a state, down to the disk; once for each content.

    Args:
        label: What it is, for the file's name.

    Raises:
        UsageError: The copy cannot be written.
    """
    name = f"{stack.name}-{label}-{state.lineage[:8]}-{state.serial}-{state.sha256[:8]}.tfstate"
    path = backups_of(stack) / name
    if not (path.is_file() and path.read_bytes() == state.content):
        replace(path, state.content)
    return path


@contextlib.contextmanager
def held(path: Path) -> Iterator[bytes]:
    """Hold Terraform's own lock on a local state while the block runs, and give its content.

    The lock is the system's, and ends with this process however that ends.

    Raises:
        EngineError: Terraform holds it.
        UsageError: It cannot be read.
    """
    try:
        read_regular(path, 0)
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield b""
        return
    except OSError as error:
        raise UsageError(
            f"cannot be read and locked ({error.strerror})",
            field=str(path),
            fix="fix its permissions",
        ) from None
    # Only through this one descriptor: closing any other of the same file would lift the lock.
    with os.fdopen(descriptor, "rb") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock = local_lock(path)
            raise EngineError(
                str(lock or "the state is locked"),
                advice="wait until that Terraform has ended",
            ) from None
        yield file.read()
