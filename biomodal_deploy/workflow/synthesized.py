"""A stack's `cdk.tf.json`, as far as the workflow reads it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular


class SynthesizedStack(BaseModel):
    """`cdk.tf.json`, as far as the workflow reads it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    terraform: dict[str, JsonValue] = {}
    provider: dict[str, JsonValue] = {}
    module: dict[str, dict[str, JsonValue]] = {}
    variable: dict[str, dict[str, JsonValue]] = {}
    resource: dict[str, dict[str, dict[str, JsonValue]]] = {}
    data: dict[str, dict[str, dict[str, JsonValue]]] = {}

    @property
    def backend(self) -> JsonValue:
        """The backend block, as synthesized; that of HCP Terraform as one of the kind `cloud`."""
        if "cloud" in self.terraform:
            return {"cloud": self.terraform["cloud"]}
        return self.terraform.get("backend")

    def backend_settings(self, kind: str) -> Mapping[str, JsonValue] | None:
        """The settings of the backend where it is of this kind, else None."""
        block = self.backend
        found = block.get(kind) if isinstance(block, dict) else None
        return found if isinstance(found, dict) else None

    @property
    def uses_aws(self) -> bool:
        """Whether Terraform will talk to AWS."""
        return "aws" in self.provider

    @property
    def addresses(self) -> frozenset[str]:
        """The addresses of all resources and module calls, without keys."""
        calls = {f"module.{name}" for name in self.module}
        return frozenset(
            calls | {f"{kind}.{name}" for kind, blocks in self.resource.items() for name in blocks}
        )

    @property
    def construct_paths(self) -> dict[str, str]:
        """The construct path of each resource, data source and module call, by address."""
        found = {f"module.{name}": _construct_path(block) for name, block in self.module.items()}
        found |= {
            f"{prefix}{kind}.{name}": _construct_path(block)
            for prefix, kinds in (("", self.resource), ("data.", self.data))
            for kind, blocks in kinds.items()
            for name, block in blocks.items()
        }
        return {address: path for address, path in found.items() if path}

    def default(self, variable: str) -> JsonValue:
        """The default of a variable; None where it has none."""
        return self.variable.get(variable, {}).get("default")


def _construct_path(block: Mapping[str, JsonValue]) -> str:
    """Return what cdktf notes under `//`: `{"metadata": {"path": "stack/vm/instance"}}`."""
    note = block.get("//")
    metadata = note.get("metadata") if isinstance(note, dict) else None
    path = metadata.get("path") if isinstance(metadata, dict) else None
    return path if isinstance(path, str) else ""


def read_stack(directory: Path) -> SynthesizedStack:
    """Read a synthesized stack.

    Raises:
        UsageError: missing or no Terraform JSON.
    """
    path = directory / "cdk.tf.json"
    try:
        return SynthesizedStack.model_validate_json(read_regular(path))
    except (OSError, ValidationError):
        raise UsageError(
            "not a synthesized stack", field=str(path), fix="run biomodal-aws synth"
        ) from None
