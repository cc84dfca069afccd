"""What a part of a set says on the way: one line of JSON each, on its standard error."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError


class Told(BaseModel):
    """One thing that a part says.

    Attributes:
        kind: `step`: what begins. `notice`: what a person should know. `busy`: what is worked on.
        text: It, for people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["step", "notice", "busy"]
    text: str


def parse(line: str) -> Told | None:
    """Return what a line says; None for one that is something else, such as a traceback's."""
    try:
        return Told.model_validate_json(line)
    except ValidationError:
        return None
