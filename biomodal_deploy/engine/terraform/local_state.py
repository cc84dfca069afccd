"""Where a backend keeps a state; that of a local one is read here, which saves a process."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ValidationError

from biomodal_deploy.engine.terraform.results import StateHeader
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular

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
