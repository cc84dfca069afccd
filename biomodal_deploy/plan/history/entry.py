"""One entry of a history, and the digest that ties it to the one before."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from biomodal_deploy.plan.sealed.actor import Actor
from biomodal_deploy.plan.sealed.digests import sha256
from biomodal_deploy.plan.sealed.facts import Line, Sealed, Sha256
from biomodal_deploy.plan.sealed.files import canonical

START: Final = "0" * 64
FORMAT: Final = 2
"""What is written; entries of format 1 have no number."""


class Event(StrEnum):
    """What happened."""

    PLAN = "plan"
    APPLY_START = "apply-start"
    REFUSAL = "refusal"
    RESULT = "result"
    INTERRUPTED = "interrupted"
    UNLOCK = "unlock"
    MIGRATION = "migration"
    REMAINS = "remains"
    MENDED = "mended"


class Entry(Sealed):
    """One entry.

    Attributes:
        format: The version of this model that wrote it.
        seq: Its number, from 1.
        sealed_plan: The sealed plan that it is about.
        message: A line for people, redacted.
        details: Facts for programs, redacted.
        prev: The digest of the entry before.
        sha256: The digest of this one.
    """

    format: int = Field(default=1, ge=1, le=FORMAT)
    seq: int
    at: AwareDatetime
    event: Event
    stack: Line
    sealed_plan: Line | None = None
    by: Actor
    message: Line = ""
    details: dict[Line, Line | int | bool | None] = Field(default_factory=dict)
    prev: Sha256
    sha256: Sha256

    def line(self) -> bytes:
        """Return the one text of the entry."""
        return canonical(_body(self))


class _Numbered(BaseModel):
    format: int


def newer_format(line: bytes) -> int | None:
    """Return the format of an entry that a newer version wrote; None for any other line."""
    try:
        found = _Numbered.model_validate_json(line).format
    except ValidationError:
        return None
    return found if found > FORMAT else None


def parse_entry(line: bytes) -> Entry | None:
    """Return an entry; None where the line is none, or not exactly as it was written."""
    try:
        entry = Entry.model_validate_json(line)
    except ValidationError:
        return None
    return entry if entry.line() == line and entry.sha256 == digest_of(entry) else None


def digest_of(entry: Entry) -> str:
    """Return the digest of an entry's contents."""
    body = _body(entry)
    del body["sha256"]
    return sha256(canonical(body))


def _body(entry: Entry) -> dict[str, object]:
    body: dict[str, object] = json.loads(entry.model_dump_json())
    if entry.format == 1:
        del body["format"]
    return body
