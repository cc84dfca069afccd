"""One known error, as the data files have it."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from biomodal_deploy.known_errors.marks import mark_of

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


def _as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


Patterns = Annotated[tuple[str, ...], BeforeValidator(_as_list)]


class Entry(BaseModel):
    """One known error.

    Templates name what was captured in braces: `{bucket}`. What the error does not tell stands
    there in capitals, as in the pages: BUCKET.

    Attributes:
        id: A stable word.
        area: The file that it stands in.
        title: What is wrong, in a few words.
        match: Patterns over the error's text on one line, any of them, without regard to case.
        unless: Patterns that make it another error.
        general: Tried only where no other entry matches.
        echo: Left out where the same log names another cause: it follows from that.
        code: The coarser word for programs, where a failed run of Terraform has one.
        cause: Why it happens, as one or two sentences; a template.
        fix: What mends it, as half a sentence that may stand behind "Next:"; a template.
        next: The next command, which changes nothing that cannot be had back; a template.
        variables: Variables or settings at fault.
        statement: Whether a statement in a policy is missing.
        fields: Patterns with one group each, by the name of what they capture.
        source: Sections of the document, pages of AWS, issues.
        example: The error as people meet it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    area: str
    title: str = Field(max_length=80)
    match: Patterns
    unless: Patterns = ()
    general: bool = False
    echo: bool = False
    code: str | None = None
    cause: str
    fix: str
    next: str
    variables: tuple[str, ...] = ()
    statement: bool = False
    fields: dict[str, Patterns] = Field(default_factory=dict)
    source: Patterns
    example: str

    @model_validator(mode="after")
    def _patterns_hold(self) -> Entry:
        for pattern in (*self.match, *self.unless, *self._field_patterns):
            re.compile(pattern)
        for pattern in self.match:
            if len(mark_of(pattern)) < 4:
                raise ValueError(f"the pattern {pattern} has no literal text to look for")
        for pattern in self._field_patterns:
            if re.compile(pattern).groups != 1:
                raise ValueError(f"the pattern {pattern} of a field needs exactly one group")
        return self

    @cached_property
    def marks(self) -> tuple[str, ...]:
        """Literal texts in small letters, one of which stands in every error of this kind."""
        return tuple(dict.fromkeys(map(mark_of, self.match)))

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What an error of this kind matches."""
        return re.compile("|".join(f"(?:{each})" for each in self.match), re.IGNORECASE)

    @cached_property
    def exceptions(self) -> re.Pattern[str] | None:
        """What an error of this kind does not match."""
        if not self.unless:
            return None
        return re.compile("|".join(f"(?:{each})" for each in self.unless), re.IGNORECASE)

    @property
    def placeholders(self) -> set[str]:
        """The names that its templates use."""
        return {
            name
            for text in (self.cause, self.fix, self.next)
            for name in _PLACEHOLDER.findall(text)
        }

    @property
    def _field_patterns(self) -> tuple[str, ...]:
        return tuple(pattern for each in self.fields.values() for pattern in each)
