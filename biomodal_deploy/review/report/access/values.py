"""Small readers of redacted values, which may be of any shape."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from biomodal_deploy.plan import HIDDEN_TEXT
from biomodal_deploy.plan.redactor import UNKNOWN_TEXT


class Severity(StrEnum):
    """How much a gain of access matters to whoever approves it.

    HIGH: the internet gets in, or somebody may do everything. MEDIUM: somebody may do more than
    before. LOW: traffic that goes out or stays in private networks, and roles for AWS's services.
    """

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


Values = Mapping[str, object]
NOTHING: Final[Values] = {}


def as_map(value: object) -> Values:
    """Return a map; an empty one for anything else."""
    return value if isinstance(value, dict) else NOTHING


def as_list(value: object) -> list[object]:
    """Return a list; of one for anything else, and an empty one for nothing."""
    return value if isinstance(value, list) else [] if value is None else [value]


def words(value: object) -> tuple[str, ...]:
    """Return the items of a list as text."""
    return tuple(str(item) for item in as_list(value))


def vague(text: str) -> bool:
    """Whether a text stands for a value that is hidden, or known only after the apply."""
    return HIDDEN_TEXT in text or UNKNOWN_TEXT in text
