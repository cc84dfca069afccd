"""The parts of a plan as data, redacted: one object with its action, output, check or variable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeAlias

from pydantic import BaseModel

from biomodal_deploy.plan.diff import differences, spell
from biomodal_deploy.plan.redactor import HIDDEN_TEXT, UNKNOWN_TEXT

Values: TypeAlias = Mapping[str, object]


def as_map(value: object) -> Values:
    """Return a map; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[object]:
    """Return a list; of one for anything else, and an empty one for nothing."""
    return value if isinstance(value, list) else [] if value is None else [value]


class Action(StrEnum):
    """One word for Terraform's list of actions.

    `delete, create` is a replacement and not a delete: reading only the first word of the list is
    how other tools call it a delete. A list that is not known is UNKNOWN: it is shown as such and
    never applied.
    """

    NO_OP = "no-op"
    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    DELETE = "delete"
    REPLACE = "replace"
    REPLACE_CREATE_FIRST = "replace-create-first"
    FORGET = "forget"
    REPLACE_AND_FORGET = "replace-and-forget"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, actions: Sequence[str]) -> Action:
        """Name Terraform's list of actions."""
        return _BY_LIST.get(tuple(actions), cls.UNKNOWN)

    @property
    def acts(self) -> bool:
        """Whether applying it changes an object or what the state knows of it."""
        return self not in {Action.NO_OP, Action.READ}

    @property
    def replaces(self) -> bool:
        """Whether a new object takes the place of the old one."""
        return self in {Action.REPLACE, Action.REPLACE_CREATE_FIRST, Action.REPLACE_AND_FORGET}

    @property
    def destroys(self) -> bool:
        """Whether an object that exists is destroyed."""
        return self in {Action.DELETE, Action.REPLACE, Action.REPLACE_CREATE_FIRST}

    @property
    def forgets(self) -> bool:
        """Whether an object stays, but Terraform no longer knows it."""
        return self in {Action.FORGET, Action.REPLACE_AND_FORGET}


_BY_LIST = {
    ("no-op",): Action.NO_OP,
    ("create",): Action.CREATE,
    ("read",): Action.READ,
    ("update",): Action.UPDATE,
    ("delete",): Action.DELETE,
    ("delete", "create"): Action.REPLACE,
    ("create", "delete"): Action.REPLACE_CREATE_FIRST,
    ("forget",): Action.FORGET,
    # Terraform writes the first order, OpenTofu the second.
    ("create", "forget"): Action.REPLACE_AND_FORGET,
    ("forget", "create"): Action.REPLACE_AND_FORGET,
}


class PlanKind(StrEnum):
    """What a plan is for."""

    APPLY = "apply"
    DESTROY = "destroy"
    REFRESH_ONLY = "refresh-only"


class Data(BaseModel, frozen=True, extra="forbid"):
    """Frozen data that is read back exactly as it was written."""


class AttributeChange(Data):
    """One place inside an object that changes.

    Attributes:
        path: Where, as Terraform spells it: `root_block_device[0].volume_size`.
        before: The value now; None where there is none.
        after: The value then; None where there is none.
        sensitive: A value here is hidden, and `before` and `after` say so.
        unknown: The value is known only after the apply.
        forces_replacement: This is why the object is replaced.
        matters: In drift: it touches the configuration, a tag or access. The rest AWS filled in.
    """

    path: str
    before: object = None
    after: object = None
    sensitive: bool = False
    unknown: bool = False
    forces_replacement: bool = False
    matters: bool = True


class ResourceChange(Data):
    """What happens to one object, or what happened to it outside Terraform (drift).

    Attributes:
        actions: Terraform's own words, for an action that is not known.
        reason: Terraform's `action_reason`, such as `replace_because_tainted`.
        deposed: The key of an old object that an interrupted replacement left behind.
        import_id: The id of the object that is adopted.
        construct_path: The path of the construct that it comes from; empty where none is known.
        refers_to: The resources and data sources that its configuration mentions, without keys.
        provisioners: The kinds of those that run a program when it is created or destroyed.
        before, after: All attributes, redacted; of an object that does not change only where what
            the environment costs rests on them, else None.
        updates: What differs, for an update or a replacement; see `attributes`.
    """

    address: str
    type: str
    name: str
    action: Action
    actions: tuple[str, ...] = ()
    module: str = ""
    mode: str = "managed"
    provider: str = ""
    previous_address: str | None = None
    deposed: str | None = None
    reason: str | None = None
    imported: bool = False
    import_id: str | None = None
    replace_paths: tuple[str, ...] = ()
    construct_path: str = ""
    refers_to: tuple[str, ...] = ()
    provisioners: tuple[str, ...] = ()
    before: dict[str, object] | None = None
    after: dict[str, object] | None = None
    updates: tuple[AttributeChange, ...] = ()

    @property
    def managed(self) -> bool:
        """Whether it is an object of ours, and not a data source."""
        return self.mode == "managed"

    @property
    def moved(self) -> bool:
        """Whether the state knows the object under another address so far."""
        return self.previous_address is not None and self.previous_address != self.address

    @property
    def matters(self) -> bool:
        """Whether it is drift that somebody should know of: an object that is gone included."""
        gone = self.before is None or self.after is None
        return self.action.acts and (gone or any(each.matters for each in self.updates))

    @property
    def acts(self) -> bool:
        """Whether applying it changes an object or the state."""
        return self.action.acts or self.moved or self.imported

    @property
    def attributes(self) -> tuple[AttributeChange, ...]:
        """Each attribute that changes; for a creation or a destruction, each that has a value."""
        if self.updates or (self.before is not None and self.after is not None):
            return self.updates
        return tuple(
            AttributeChange(
                path=spell(found.path),
                before=found.before,
                after=found.after,
                sensitive=HIDDEN_TEXT in (found.before, found.after),
                unknown=found.after == UNKNOWN_TEXT,
            )
            for found in differences(self.before or {}, self.after or {})
        )


class OutputChange(Data):
    """What happens to one root output."""

    name: str
    action: Action
    before: object = None
    after: object = None
    sensitive: bool = False
    unknown: bool = False


class DeferredChange(Data):
    """A change that Terraform puts off to a later plan, and why."""

    reason: str
    change: ResourceChange


class Check(Data):
    """The result of one instance of a check, or of an object's own conditions."""

    address: str
    kind: str
    status: str
    problems: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether it found something. `unknown` is decided by the apply."""
        return self.status in {"fail", "error"}


class Variable(Data):
    """A root variable and its value, hidden where the declaration says sensitive."""

    name: str
    value: object = None
    sensitive: bool = False
