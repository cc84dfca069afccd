"""One stack of a project: where it lies, what it declares, and what keeps its plans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from biomodal_deploy.config.backends import STACK_PREFIX
from biomodal_deploy.config.settings import StackSettings
from biomodal_deploy.engine.synthesis import Synthesis, synthesize
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import private_dir, read_regular
from biomodal_deploy.plan.history import History
from biomodal_deploy.workflow.location import Listener, Location, Step, choose


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A synthesized stack."""

    location: Location
    name: str
    directory: Path

    @property
    def settings(self) -> StackSettings:
        """What the workflow guards for this stack."""
        return self.location.settings(self.name)

    @property
    def on_event(self) -> Listener:
        """Whoever is told of what goes on."""
        return self.location.on_event

    def with_listener(self, on_event: Listener) -> Stack:
        """Return it with another listener."""
        return replace(self, location=replace(self.location, on_event=on_event))

    @classmethod
    def at(cls, location: Location, name: str) -> Stack:
        """Return a stack of a project, whether it was synthesized or not."""
        return cls(location=location, name=name, directory=location.output / "stacks" / name)

    @property
    def logs(self) -> Path:
        """The private folder for what Terraform says where no plan is made; made where missing."""
        return private_dir(self.location.plans / self.name / "logs")

    @property
    def history(self) -> History:
        """What was done to it."""
        return History(self.location.plans, self.name)

    @cached_property
    def synthesized(self) -> SynthesizedStack:
        """Its Terraform JSON, as far as the workflow reads it."""
        return read_stack(self.directory)


def synthesized_stacks(location: Location) -> Synthesis:
    """Synthesize every stack.

    Raises:
        UsageError: A setting is wrong.
        EngineError: The app command failed.
    """
    location.on_event(Step("Synthesizing"))
    return synthesize(location.project_dir, environment=location.environment)


def fresh_stack(location: Location, name: str | None, *, synthesized: bool = False) -> Stack:
    """Return a stack, synthesized from the sources as they are now.

    Args:
        synthesized: Whether it was done a moment ago, once for a set of stacks.
    """
    if synthesized:
        return last_stack(location, name)
    if location.stacks:
        choose(name, list(location.stacks))
    found = {stack.name: stack.directory for stack in synthesized_stacks(location).stacks}
    chosen = choose(name, list(found))
    return Stack(location=location, name=chosen, directory=found[chosen])


def fresh_stacks(location: Location, name: str | None) -> list[Stack]:
    """Return the stack of this name, or every stack, synthesized from the sources as they are.

    Raises:
        UsageError: A setting is wrong, or the stack is unknown.
        EngineError: The app command failed.
    """
    if name is not None:
        return [fresh_stack(location, name)]
    stacks = synthesized_stacks(location).stacks
    return [Stack(location=location, name=each.name, directory=each.directory) for each in stacks]


def last_stack(location: Location, name: str | None) -> Stack:
    """Return a stack as it was last synthesized; the app command does not run.

    Raises:
        UsageError: It was never synthesized, or the stack is unknown.
    """
    if name is not None and name.startswith(STACK_PREFIX) and name not in location.stacks:
        # `backend create` made it, from what the stacks' backends say.
        own = Stack.at(location, name)
        if (own.directory / "cdk.tf.json").exists():
            return own
    found = {stack.name: stack for stack in last_stacks(location)}
    return found[choose(name, list(found))]


def last_stacks(location: Location) -> list[Stack]:
    """Return every stack as it was last synthesized; the app command does not run.

    Raises:
        UsageError: Nothing was ever planned or synthesized.
    """
    folder = location.output / "stacks"
    found = sorted(path.parent.name for path in folder.glob("*/cdk.tf.json"))
    if not found:
        raise UsageError(
            "no plan yet", field=str(location.project_dir), fix="run biomodal-aws plan"
        )
    others = [each for each in found if not each.startswith(STACK_PREFIX)]
    names = [each for each in found if each in location.stacks] or others
    return [Stack.at(location, name) for name in names]


def named_stack(location: Location, name: str | None) -> Stack:
    """Return a stack of cdktf.json, synthesized or not, planned or not.

    Raises:
        UsageError: The stack is unknown.
    """
    return Stack.at(location, choose(name, list(location.stacks)))


def recorded_stack(location: Location, name: str | None) -> Stack:
    """Return a stack of which something is kept under `plans/`, synthesized or not.

    For what reads sealed plans and the history only: the synthesized folder is throw-away, and a
    stack's record outlives its settings.

    Raises:
        UsageError: The stack is unknown.
    """
    # `[!.]`: Terraform's CLI configuration has a folder of its own there.
    kept = {path.name for path in location.plans.glob("[!.]*") if path.is_dir()}
    if name is None or name not in kept:
        if not kept or any((location.output / "stacks").glob("*/cdk.tf.json")):
            return last_stack(location, name)
        name = choose(name, sorted(kept.union(location.stacks)))
    return Stack.at(location, name)


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
