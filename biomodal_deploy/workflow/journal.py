"""What is written down while a state is moved, so that a move which was stopped can go on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from biomodal_deploy.config.backends import local_path
from biomodal_deploy.config.credentials import credentials_in
from biomodal_deploy.engine.terraform.environment import DEFAULT_DATA_DIR
from biomodal_deploy.engine.terraform.local_state import DEFAULT_WORKSPACE, state_path
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular, replace
from biomodal_deploy.plan.sealed import described_backend
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.state_files import BACKUPS, backups_of, local_state_of

_SUFFIX: Final = ".migration.json"


class Previous(BaseModel):
    """The backend that a state is moved away from, as Terraform remembers it.

    Attributes:
        type: Its kind.
        config: Its settings, without credentials: those come from the environment.
    """

    model_config = ConfigDict(frozen=True)

    type: str
    config: dict[str, JsonValue] = {}

    @property
    def block(self) -> dict[str, JsonValue]:
        """It as part of a configuration's `terraform` block."""
        if self.type == "cloud":
            return {"cloud": self.config}
        return {"backend": {self.type: self.config}}

    def where(self, stack: Stack) -> str:
        """Return where it keeps the state, for people."""
        return described_backend(stack.directory, self.type, self.config).where


class Journal(BaseModel):
    """A move that was begun.

    Attributes:
        previous: Where the state comes from.
        moved: The digest of what arrived, and was read back, where it came so far.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    previous: Previous
    moved: str | None = None


class _Initialized(BaseModel):
    backend: Previous | None = None


def remembered_backend(stack: Stack) -> Previous | None:
    """Return the backend that Terraform was last initialized with in a stack's directory."""
    data_dir = stack.location.environment.get("TF_DATA_DIR") or DEFAULT_DATA_DIR
    try:
        content = read_regular(stack.directory / data_dir / "terraform.tfstate")
        found = _Initialized.model_validate_json(content).backend
    except (OSError, ValidationError):
        return None
    return Previous(type=found.type, config=_kept(found.config)) if found else None


def default_previous(stack: Stack) -> Previous:
    """Return the local backend that every stack starts with."""
    return Previous(type="local", config={"path": local_path(stack.name)})


def local_path_of(stack: Stack, previous: Previous) -> Path:
    """Return the file of a local backend."""
    return (stack.directory / state_path(previous.config, DEFAULT_WORKSPACE)).resolve()


def read_journal(stack: Stack) -> Journal | None:
    """Return the move of a stack's state that was begun and not finished.

    Raises:
        UsageError: What is written there cannot be read.
    """
    path = local_state_of(stack).parent / BACKUPS / f"{stack.name}{_SUFFIX}"
    try:
        return Journal.model_validate_json(read_regular(path))
    except FileNotFoundError:
        return None
    except PermissionError as error:
        # No sign that a move was begun: a folder above it may not be entered.
        raise UsageError(
            f"cannot be read ({error.strerror})",
            field=str(path),
            fix="fix its permissions, or those of the folders above it",
        ) from None
    except (OSError, ValidationError):
        raise UsageError(
            "says where a state is moved from, and cannot be read",
            field=str(path),
            fix="restore it, or take it away if no state is being moved",
        ) from None


def write_journal(stack: Stack, journal: Journal) -> None:
    """Write down how far a move has come, down to the disk."""
    path = backups_of(stack) / f"{stack.name}{_SUFFIX}"
    replace(path, journal.model_dump_json(indent=2).encode() + b"\n")


def close_journal(stack: Stack) -> None:
    """Take the journal away: the move is finished."""
    (backups_of(stack) / f"{stack.name}{_SUFFIX}").unlink(missing_ok=True)


def _kept(config: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return settings without those that are not set, and without credentials."""
    secret = {path.partition(".")[0] for path in credentials_in(config)}
    return {
        name: _kept(value) if isinstance(value, dict) else value
        for name, value in config.items()
        if value is not None and name not in secret
    }
