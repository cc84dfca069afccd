"""What a synthesis wrote, as the workflow reads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from biomodal_deploy.errors import EngineError

MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, kw_only=True)
class SynthesizedDirectory:
    """One stack's directory.

    Attributes:
        name: The stack's name.
        directory: Its folder, absolute.
        resources: How many resources its JSON has, module calls included.
    """

    name: str
    directory: Path
    resources: int


@dataclass(frozen=True, kw_only=True)
class Synthesis:
    """What a synthesis wrote.

    Attributes:
        stacks: The stacks' directories, by name.
        seconds: How long it took.
        cached: Whether it came from the cache.
    """

    stacks: tuple[SynthesizedDirectory, ...]
    seconds: float
    cached: bool = False


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


def read_stacks(output: Path) -> tuple[SynthesizedDirectory, ...]:
    """Return the stacks that the output folder's manifest names.

    Raises:
        EngineError: There is no manifest, or it is not cdktf's.
    """
    try:
        manifest = _Manifest.model_validate_json((output / MANIFEST).read_bytes())
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
        blocks = _Blocks.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return 0
    return sum(map(len, blocks.resource.values())) + len(blocks.module)
