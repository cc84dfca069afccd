"""What a plan is for, and what Terraform will do to one object, as one word each."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum


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
        return self in {
            Action.REPLACE,
            Action.REPLACE_CREATE_FIRST,
            Action.REPLACE_AND_FORGET,
        }

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
