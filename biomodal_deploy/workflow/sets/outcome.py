"""What a stack of a set reports, what became of it, and of the set as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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
        text: It, for people.
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


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one stack.

    Attributes:
        stack: The stack.
        exit_status: As the command for it alone would have ended.
        seconds: How long it took.
        data: What that command would have printed as `data`.
        problem: Why it failed; None where it did not.
        notices: What it reported for people to know.
    """

    stack: str
    exit_status: int
    seconds: float = 0.0
    data: dict[str, JsonValue] | None = None
    problem: Problem | None = None
    notices: tuple[str, ...] = ()

    def as_data(self) -> dict[str, JsonValue]:
        """Return it as data for programs."""
        return {
            "stack": self.stack,
            "exit_status": self.exit_status,
            "seconds": round(self.seconds, 1),
            "notices": list(self.notices),
            "data": self.data,
            "error": self.problem.model_dump() if self.problem else None,
        }


def worst(statuses: Iterable[int]) -> int:
    """Return the exit status of a set: the worst of its parts, in the documented order."""
    found = {status if status in WORST_FIRST else EXIT_BUG for status in statuses}
    return next((status for status in WORST_FIRST if status in found), EXIT_DONE)
