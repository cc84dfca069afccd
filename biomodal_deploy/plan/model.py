"""A plan as data, redacted: what is shown, judged, sealed and reported.

No value in here is secret, because `read_plan` builds it through the redactor. So whatever
is printed or written from it needs no further care.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from functools import cached_property
from typing import Final

from pydantic import Field, ValidationError

from biomodal_deploy.errors import EngineError
from biomodal_deploy.plan.changes import (
    Action,
    Check,
    Data,
    DeferredChange,
    OutputChange,
    ResourceChange,
    Variable,
)


@contextlib.contextmanager
def without_collecting() -> Iterator[None]:
    """Keep the garbage collector from running.

    While a plan of 5,000 objects is read it would walk millions of new objects again and again,
    none of them garbage, and take half of the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


CHANGES_FORMAT: Final = 1


class Counts(Data):
    """How many objects each action touches. A replacement counts once, as a replacement."""

    create: int = 0
    update: int = 0
    replace: int = 0
    delete: int = 0
    forget: int = 0
    read: int = 0
    unknown: int = 0
    moved: int = 0
    imported: int = 0
    deferred: int = 0
    no_op: int = 0
    outputs: int = 0
    drift: int = 0
    failed_checks: int = 0

    def sentence(self) -> str:
        """Say what happens: `2 to create, 1 to replace, 1 output changes`."""
        verbs = ("create", "update", "replace", "delete", "forget")
        parts = [f"{getattr(self, verb)} to {verb}" for verb in verbs if getattr(self, verb)]
        parts += [f"{self.imported} to import"] if self.imported else []
        parts += [f"{self.moved} to move"] if self.moved else []
        parts += [f"{self.unknown} unknown"] if self.unknown else []
        parts += [f"{self.deferred} deferred"] if self.deferred else []
        if self.outputs:
            parts.append(f"{self.outputs} output{'s change' if self.outputs > 1 else ' changes'}")
        return ", ".join(parts) or "no changes"


class Plan(Data):
    """A redacted plan.

    Attributes:
        resource_changes: Every object of the plan, those that do not change included.
        drift: How reality differs from the state, what AWS filled in included; see `drifted`.
        images: The names of the machine images that it read, by id.
        unknown_parts: Parts of the plan that act and that are not understood here.
        applyable, complete: Terraform's own words; None where its version does not say.
    """

    format: int = CHANGES_FORMAT
    format_version: str
    terraform_version: str = ""
    timestamp: str = ""
    applyable: bool | None = None
    complete: bool | None = None
    errored: bool = False
    resource_changes: tuple[ResourceChange, ...] = ()
    output_changes: tuple[OutputChange, ...] = ()
    drift: tuple[ResourceChange, ...] = ()
    deferred: tuple[DeferredChange, ...] = ()
    unknown_parts: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    variables: tuple[Variable, ...] = ()
    images: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def from_changes(cls, changes: bytes) -> Plan:
        """Read a sealed plan's `changes.json`."""
        try:
            with without_collecting():
                plan = cls.model_validate_json(changes)
        except ValidationError as error:
            raise EngineError(
                f"the sealed changes could not be read: {error.errors()[0]['type']}"
            ) from None
        if plan.format != CHANGES_FORMAT:
            raise EngineError(f"the sealed changes have the unknown format {plan.format}")
        return plan

    def to_changes(self) -> bytes:
        """Write the plan as `changes.json`: the same plan gives the same bytes."""
        text = self.model_dump_json(exclude_defaults=True)
        return f'{{"format":{self.format},{text[1:]}\n'.encode()

    @property
    def changes(self) -> tuple[ResourceChange, ...]:
        """The objects that applying touches."""
        return tuple(change for change in self.resource_changes if change.acts)

    @property
    def deletes(self) -> tuple[ResourceChange, ...]:
        """The objects that are destroyed, those included that a new one replaces."""
        return tuple(change for change in self.changes if change.action.destroys)

    @property
    def losses(self) -> tuple[ResourceChange, ...]:
        """The objects that are destroyed or forgotten."""
        return tuple(c for c in self.changes if c.action.destroys or c.action.forgets)

    @property
    def drifted(self) -> tuple[ResourceChange, ...]:
        """The drift that matters; see `AttributeChange.matters`."""
        return tuple(change for change in self.drift if change.matters)

    @property
    def unknown_actions(self) -> tuple[str, ...]:
        """What acts in a way that is not known here, as lines. Such a plan is never applied."""
        return (*self._unknown_changes(), *self.unknown_parts)

    @property
    def failed_checks(self) -> tuple[Check, ...]:
        """The checks that found something."""
        return tuple(check for check in self.checks if check.failed)

    @property
    def has_changes(self) -> bool:
        """Whether applying the plan does anything, read from the plan itself.

        Terraform's exit status is no guide: with `-refresh-only` it reports changes where there
        are none. Drift counts where the apply would write it to the state; Terraform says so by
        `applyable`, and where it says nothing the answer is the careful one.
        """
        return (
            bool(self.changes or self.deferred or self.unknown_parts)
            or any(output.action.acts for output in self.output_changes)
            or bool(self.applyable)
            or (self.applyable is None and bool(self.drift))
        )

    @cached_property
    def counts(self) -> Counts:
        """How many objects each action touches."""
        totals = dict.fromkeys(Counts.model_fields, 0)
        for change in self.resource_changes:
            totals[_counted_as(change.action)] += 1
            totals["moved"] += change.moved
            totals["imported"] += change.imported
        return Counts(
            **{
                **totals,
                "deferred": len(self.deferred),
                "unknown": totals["unknown"] + len(self.unknown_parts),
                "outputs": sum(output.action.acts for output in self.output_changes),
                "drift": len(self.drifted),
                "failed_checks": len(self.failed_checks),
            }
        )

    def _unknown_changes(self) -> Iterator[str]:
        for change in self.resource_changes:
            if change.action is Action.UNKNOWN:
                yield f"{change.address}: {', '.join(change.actions) or 'no action'}"
        for output in self.output_changes:
            if output.action is Action.UNKNOWN:
                yield f"output {output.name}: unknown action"


def _counted_as(action: Action) -> str:
    return "replace" if action.replaces else action.value.replace("-", "_")
