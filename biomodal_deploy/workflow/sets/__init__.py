"""Several stacks at once: each one is a command of its own, and here they are looked after.

A stack of a set is planned, applied or examined by the same command that a person would type for
it, as a child process with `--output json`. So a set can do nothing that one command cannot, a
failure in one has no way into another, and each has its own signals to stop by.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from biomodal_deploy.errors import (
    EXIT_BUG,
    EXIT_DONE,
    EXIT_ENGINE,
    EXIT_FINDINGS,
    EXIT_GUARD,
    EXIT_INTERRUPTED,
    EXIT_SEALED_PLAN,
    EXIT_USAGE,
)

# First what may have left something half done, then what was not even begun, then what was
# refused as it should be, then what waits for a person.
WORST_FIRST: Final = (
    EXIT_INTERRUPTED,
    EXIT_BUG,
    EXIT_ENGINE,
    EXIT_USAGE,
    EXIT_SEALED_PLAN,
    EXIT_GUARD,
    EXIT_FINDINGS,
    EXIT_DONE,
)


class Message(BaseModel):
    """What a part of a set reports on the way: a line of JSON on its standard error.

    Attributes:
        kind: `step`: what begins. `notice`: what a person should know. `busy`: what is worked on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["step", "notice", "busy"]
    text: str

    @classmethod
    def parse(cls, line: str) -> Self | None:
        """Return what a line says; None for one that is something else, such as a traceback's."""
        try:
            return cls.model_validate_json(line)
        except ValidationError:
            return None


class Problem(BaseModel):
    """Why there is no result, as every command says it under `--output json`.

    Attributes:
        code: A stable word.
        message: One line for people.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    code: str
    message: str


class Envelope(BaseModel):
    """What a command prints under `--output json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exit_status: int
    data: dict[str, JsonValue] | None
    error: Problem | None


class StackOutcome(BaseModel):
    """What became of one stack of a set.

    Attributes:
        stack: The stack.
        exit_status: As the command for it alone would have ended.
        seconds: How long it took.
        notices: What a person should know.
        data: What that command would have printed.
        error: Why it failed.
    """

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)

    stack: str
    exit_status: int
    seconds: float = 0.0
    notices: tuple[str, ...] = ()
    data: dict[str, JsonValue] | None = None
    error: Problem | None = None


class SetData(BaseModel):
    """Several stacks at once.

    Attributes:
        command: The command.
        seconds: How long it took.
        statuses: How many stacks ended with each exit status.
        stacks: Each stack.
    """

    command: str
    seconds: float
    statuses: dict[str, int]
    stacks: tuple[StackOutcome, ...]


def worst(statuses: Iterable[int]) -> int:
    """Return the exit status of a set: the worst of its parts, in the documented order."""
    found = {status if status in WORST_FIRST else EXIT_BUG for status in statuses}
    return next((status for status in WORST_FIRST if status in found), EXIT_DONE)
