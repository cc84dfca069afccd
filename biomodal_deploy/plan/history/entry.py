"""One entry of a history, and the digest that ties it to the one before."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from biomodal_deploy.plan.sealed.facts import Actor, Line, Sealed, Sha256
from biomodal_deploy.plan.sealed.files import canonical, sha256

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


@dataclass(frozen=True)
class Chain:
    """What a history holds, and whether it is whole.

    Attributes:
        entries: Those before the break.
        broken_at: The line that breaks the chain, from 1; None where none does.
        newer: Whether a newer version of this program wrote that line.
        cut_short: The last line is not whole: a process died while it wrote. The next entry
            fixes that and says so.
    """

    entries: tuple[Entry, ...]
    broken_at: int | None = None
    why: str = ""
    newer: bool = False
    cut_short: bool = False

    @property
    def head(self) -> str:
        """The digest that stands for everything up to here."""
        return self.entries[-1].sha256 if self.entries else START


def read_chain(content: bytes) -> Chain:
    """Follow the chain through a file's contents."""
    *lines, rest = content.split(b"\n")
    chain = _follow(lines)
    if not rest or chain.broken_at:
        return chain
    whole = _follow([*lines, rest])  # only the line's end is missing
    cut_short = whole.broken_at is not None and not whole.newer
    return Chain(chain.entries, cut_short=True) if cut_short else whole


def _follow(lines: list[bytes]) -> Chain:
    entries: list[Entry] = []
    prev = START
    cut: bytes | None = None
    for number, line in enumerate(lines, start=1):
        entry = parse_entry(line)
        if entry is None:
            if found := newer_format(line):
                why = f"it was written by a newer version of biomodal-aws (format {found})"
                return Chain(tuple(entries), number, why, newer=True)
            # Only an entry that names exactly this fragment explains a line that is none.
            if cut is not None or number == len(lines):
                return Chain(tuple(entries), number, "it is no entry of this history")
            cut = line
            continue
        why = _wrong(entry, prev, len(entries), cut)
        if why:
            return Chain(tuple(entries), number if cut is None else number - 1, why)
        entries.append(entry)
        prev, cut = entry.sha256, None
    return Chain(tuple(entries))


def _wrong(entry: Entry, prev: str, before: int, cut: bytes | None) -> str:
    if cut is None:
        if entry.event is Event.MENDED:
            return "the line that it says was cut short is gone"
    elif entry.event is not Event.MENDED or entry.details.get("sha256") != sha256(cut):
        return "it is no entry of this history"
    if entry.prev != prev or entry.seq != before + 1:
        return "it does not follow the entry before: one was changed, taken out or put in"
    return ""
