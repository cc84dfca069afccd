"""One stack of a project: where it lies, what it declares, and what keeps its plans."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from biomodal_deploy.config.settings import StackSettings
from biomodal_deploy.config.state_bucket import STACK_PREFIX
from biomodal_deploy.engine.synthesis import Synthesis, synthesize
from biomodal_deploy.errors import UsageError
from biomodal_deploy.plan.history import History
from biomodal_deploy.workflow.location import Location, choose
from biomodal_deploy.workflow.signals import Listener, Step
from biomodal_deploy.workflow.synthesized import SynthesizedStack, read_stack


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A synthesized stack.

    Attributes:
        location: The project.
        name: The stack's name.
        directory: The synthesized directory, which Terraform works in.
    """

    location: Location
    name: str
    directory: Path

    @property
    def settings(self) -> StackSettings:
        """What the workflow guards for this stack."""
        return self.location.settings(self.name)

    @property
    def history(self) -> History:
        """What was done to it."""
        # Sealed plans and all that judges them: a synthesis does without.

        return History(self.location.plans, self.name)

    @cached_property
    def synthesized(self) -> SynthesizedStack:
        """Its Terraform JSON, as far as the workflow reads it."""
        return read_stack(self.directory)


def synthesized_stacks(location: Location, listen: Listener) -> Synthesis:
    """Synthesize every stack.

    Raises:
        UsageError: A setting is wrong.
        EngineError: The app command failed.
    """
    listen(Step("Synthesizing"))
    return synthesize(location.project_dir, environment=location.environment)


def fresh_stack(
    location: Location,
    name: str | None,
    listen: Listener,
    *,
    synthesized: bool = False,
) -> Stack:
    """Return a stack, synthesized from the sources as they are now.

    Args:
        location: The project.
        name: The stack; None for the only one.
        listen: Told of what goes on.
        synthesized: Whether it was done a moment ago, once for a set of stacks.

    Raises:
        UsageError: A setting is wrong, or the stack is unknown.
        EngineError: The app command failed.
    """
    if synthesized:
        return last_stack(location, name)
    if location.stacks:
        choose(name, list(location.stacks))
    found = {stack.name: stack.directory for stack in synthesized_stacks(location, listen).stacks}
    chosen = choose(name, list(found))
    return Stack(location=location, name=chosen, directory=found[chosen])


def fresh_stacks(location: Location, name: str | None, listen: Listener) -> list[Stack]:
    """Return the stack of this name, or every stack, synthesized from the sources as they are now.

    Raises:
        UsageError: A setting is wrong, or the stack is unknown.
        EngineError: The app command failed.
    """
    if name is not None:
        return [fresh_stack(location, name, listen)]
    stacks = synthesized_stacks(location, listen).stacks
    return [Stack(location=location, name=each.name, directory=each.directory) for each in stacks]


def last_stack(location: Location, name: str | None) -> Stack:
    """Return a stack as it was last synthesized; the app command does not run.

    Raises:
        UsageError: It was never synthesized, or the stack is unknown.
    """
    if name is not None and name.startswith(STACK_PREFIX) and name not in location.stacks:
        # `backend create` made it, from what the stacks' backends say.
        own = Stack(location=location, name=name, directory=location.output / "stacks" / name)
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
    return [Stack(location=location, name=name, directory=folder / name) for name in names]


def named_stack(location: Location, name: str | None) -> Stack:
    """Return a stack of cdktf.json, synthesized or not, planned or not.

    Raises:
        UsageError: The stack is unknown.
    """
    chosen = choose(name, list(location.stacks))
    return Stack(location=location, name=chosen, directory=location.output / "stacks" / chosen)


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
    return Stack(location=location, name=name, directory=location.output / "stacks" / name)
