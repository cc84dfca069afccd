"""What is written down while a state is moved, and what that meets where it is moved to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from biomodal_deploy.config.backends import local_path
from biomodal_deploy.config.credentials import credentials_in
from biomodal_deploy.engine.terraform.environment import DEFAULT_DATA_DIR
from biomodal_deploy.engine.terraform.locks import DEFAULT_WORKSPACE, state_path
from biomodal_deploy.errors import EngineError, UsageError
from biomodal_deploy.files import read_regular, replace
from biomodal_deploy.plan.sealed import described_backend
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.state_files import BACKUPS, State, backups_of, local_state_of

_SUFFIX: Final = ".migration.json"


class Previous(BaseModel):
    """The backend that a state is moved away from, as Terraform remembers it.

    Attributes:
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


def local_path_of(stack: Stack, previous: Previous, workspace: str = DEFAULT_WORKSPACE) -> Path:
    """Return the file of a local backend."""
    return (stack.directory / state_path(previous.config, workspace)).resolve()


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


def is_renamed(state: State, there: State) -> bool:
    """Say whether a state is ours under another lineage.

    Where a remote backend holds none yet, Terraform gives whatever is pushed there a lineage of
    its own, and serial 1. Nobody else's state holds the very same resources.
    """
    return there.lineage != state.lineage and (there.sha256, there.serial) == (state.sha256, 1)


def has_to_move(state: State, there: State | None, journal: Journal, target: str) -> bool:
    """Say whether a state has to be written; refuse where it would take another one's place.

    Args:
        journal: The move that was begun, with what it wrote there before.

    Raises:
        UsageError: What is there would be lost.
    """
    if there is None:
        return True
    if is_renamed(state, there):
        return False
    if there.lineage != state.lineage:
        emptied = " (and is empty)" if there.is_empty else ""
        raise UsageError(
            f"holds another state{emptied}: its lineage is {there.lineage}, and that of the "
            f"one to move is {state.lineage}. Nothing was written there",
            field=target,
            fix="give the stack a place of its own, or take the other state away first",
        )
    arrived = state.sha256 in (there.sha256, journal.moved)
    if there.serial >= state.serial and arrived:
        return False  # where it is a later one, others have gone on with it since
    if there.serial >= state.serial:
        raise UsageError(
            f"holds serial {there.serial} of the same state, and the one to move has serial "
            f"{state.serial} with other contents: both went on. Nothing was written there",
            field=target,
            fix="find out which of the two is right, and move the other one away",
        )
    return True


def check_arrival(state: State, there: State | None, target: str) -> None:
    """Make sure that a state is where it was written to.

    Raises:
        EngineError: Something else is there, or nothing.
    """
    # Beyond our serial somebody else has gone on already.
    fits = (
        there is not None
        and there.lineage == state.lineage
        and (there.serial > state.serial or there.sha256 == state.sha256)
        and there.serial >= state.serial
    )
    if not fits:
        raise EngineError(
            f"{target} does not hold what was moved there ({state}), but {there or 'nothing'}; "
            "the old state is where it was",
            advice="run biomodal-aws backend migrate again",
        )
