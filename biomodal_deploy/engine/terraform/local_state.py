"""The state of a local backend: a file of this machine, read where that saves a process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ValidationError

from biomodal_deploy.engine.terraform.results import StateHeader

DEFAULT_WORKSPACE: Final = "default"
_STATE: Final = "terraform.tfstate"


class _LocalConfig(BaseModel):
    path: str | None = None
    workspace_dir: str | None = None


class _Backend(BaseModel):
    type: str = "local"
    config: _LocalConfig = _LocalConfig()


class _Known(StateHeader):
    version: Literal[4] = 4
    """Of the format: Terraform itself says what to do with any other."""


class _Initialized(BaseModel):
    backend: _Backend


def state_path(settings: Mapping[str, object], workspace: str) -> Path:
    """Return where a local backend keeps a workspace's state, from the stack's directory.

    Args:
        settings: The backend's, as configured; `path` is for the workspace `default` alone.
        workspace: Terraform's workspace.
    """
    if workspace == DEFAULT_WORKSPACE:
        return Path(str(settings.get("path") or _STATE))
    return Path(str(settings.get("workspace_dir") or "terraform.tfstate.d"), workspace, _STATE)


def local_state(directory: Path, data_dir: Path, workspace: str) -> Path | None:
    """Return the state file of a local backend; None where the backend is another."""
    try:
        settings = (data_dir / "terraform.tfstate").read_bytes()
        backend = _Initialized.model_validate_json(settings).backend
    except FileNotFoundError:
        backend = _Backend()  # no backend block, or nothing initialized yet
    except ValidationError:
        return None
    if backend.type != "local":
        return None
    return directory / state_path(backend.config.model_dump(), workspace)


def local_content(directory: Path, data_dir: Path, workspace: str) -> bytes | None:
    """Return a local backend's state.

    None where Terraform has to say it: the directory is not initialized, so that nobody knows yet
    where its state is; there is no state; or the file is not as expected.
    """
    if not (data_dir / _STATE).exists():
        return None
    state = local_state(directory, data_dir, workspace)
    try:
        content = state.read_bytes() if state else b""
        _Known.model_validate_json(content)
    except (OSError, ValidationError):
        return None
    return content
