"""Run the app command, and read what it wrote."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from biomodal_deploy.config.settings import output_directory, read_project_file
from biomodal_deploy.engine.synthesis.app import App
from biomodal_deploy.errors import EngineError
from biomodal_deploy.files import read_regular

_MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, kw_only=True)
class SynthesizedDirectory:
    """One stack's directory.

    Attributes:
        resources: How many resources its JSON has, module calls included.
    """

    name: str
    directory: Path
    resources: int


@dataclass(frozen=True, kw_only=True)
class Synthesis:
    """What a synthesis wrote."""

    stacks: tuple[SynthesizedDirectory, ...]
    seconds: float


def synthesize(
    project_dir: Path,
    *,
    on_line: Callable[[str], None] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Synthesis:
    """Synthesize all stacks of a project. The app itself publishes what it wrote in one step.

    Raises:
        UsageError: The app reports that a setting is wrong.
        EngineError: The app failed, or wrote no manifest.
        Interrupted: It was asked to stop.
    """
    started = time.monotonic()
    folder = project_dir.absolute()
    project_file = read_project_file(folder)
    output = output_directory(folder, project_file, environment)
    App.of(project_file, folder, environment).run(on_line or (lambda _: None))
    return Synthesis(stacks=_read_stacks(output), seconds=time.monotonic() - started)


class _ManifestStack(BaseModel):
    model_config = ConfigDict(extra="ignore")

    name: str
    workingDirectory: str  # noqa: N815 - cdktf's spelling


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="ignore")

    stacks: dict[str, _ManifestStack]


class _Blocks(BaseModel):
    model_config = ConfigDict(extra="ignore")

    resource: dict[str, dict[str, JsonValue]] = {}
    module: dict[str, JsonValue] = {}


def _read_stacks(output: Path) -> tuple[SynthesizedDirectory, ...]:
    try:
        manifest = _Manifest.model_validate_json(read_regular(output / _MANIFEST))
    except (OSError, ValidationError):
        raise EngineError(f"the app command wrote no manifest to {output}") from None
    return tuple(
        SynthesizedDirectory(
            name=stack.name,
            directory=output / stack.workingDirectory,
            resources=_resources(output / stack.workingDirectory / "cdk.tf.json"),
        )
        for stack in sorted(manifest.stacks.values(), key=lambda each: each.name)
    )


def _resources(path: Path) -> int:
    try:
        blocks = _Blocks.model_validate_json(read_regular(path))
    except (OSError, ValidationError):
        return 0
    return sum(map(len, blocks.resource.values())) + len(blocks.module)
