"""The errors inside a log: Terraform's boxes and events, and single lines of everything else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from biomodal_deploy.engine.process import Line
from biomodal_deploy.engine.terraform.events import DiagnosticEvent, TextLine, UnknownEvent, parse
from biomodal_deploy.review.diagnosis.lines import RawLine, Readable, read_lines
from biomodal_deploy.review.diagnosis.scrubbing import scrubbed

_MOST_LINES: Final = 80
# In a row: Terraform parts paragraphs and errors with one.
_MOST_BLANK: Final = 3
_LONGEST: Final = 8_000
_BAR: Final = re.compile(r"^\s*[│╷╵|]\s?")
_BEGINS: Final = re.compile(r"^(Error|Warning): ")
# Errors of libraries, which Terraform quotes in its own with a line for themselves.
_QUOTED: Final = re.compile(r"^Error: (?:operation error|zip: |failed to refresh cached)")
# Terraform's pointer into the configuration, which may quote anything.
_PLACE: Final = re.compile(
    r"^\s*(?:on \S.* line \d+|\d+:\s|[├└]\S*|with (?P<address>[^,\s]\S*?),$)"
)
_SUSPECT: Final = re.compile(
    r"\b(?:errors?|fail(?:ed|ure)|fatal|denied|exception|cannot|could not|unable to|refused)\b",
    re.IGNORECASE,
)
# What CI systems say after the fact.
_NOISE: Final = re.compile(
    r"^(?:##\[error\])?(?:Error: )?(?:Terraform exited with code|Process completed with exit code)"
)
_OURS: Final = "biomodal-aws"
_SUSPECTS: Final = 5


@dataclass(frozen=True)
class Passage:
    """One error, as far as it can be told from what is around it.

    It may hold a secret until it is made `clean`, which costs too much to be done to every line.

    Attributes:
        text: Its words on one line.
        raw: It as it was.
        line: Where it begins, from 1.
        address: The resource that it is about.
        certain: Whether it is an error in Terraform's own form; a line of something else is one
            only where it is known.
    """

    text: str
    raw: str
    line: int
    address: str | None = None
    certain: bool = True

    def clean(self) -> Passage:
        """Return it without secrets."""
        raw = scrubbed(self.raw)[:_LONGEST]
        return replace(self, text=" ".join(raw.split()), raw=raw)


@dataclass
class Reader:
    """Reads one log.

    Attributes:
        lines: How many it had.
        binary: Whether it had bytes that no text has.
    """

    marks: Sequence[str]
    lines: int = 0
    binary: bool = False
    _suspects: list[tuple[int, str]] = field(default_factory=list)
    _run: tuple[int, str] | None = None

    @property
    def suspects(self) -> tuple[tuple[int, str], ...]:
        """The last lines that look like errors, with their numbers."""
        return tuple((number, scrubbed(text)[:_LONGEST]) for number, text in self._suspects)

    def passages(self, stream: Readable) -> Iterator[Passage]:
        """Give the errors of a log in order."""
        block: _Block | None = None
        for line in read_lines(stream, self.marks):
            self.lines = line.number
            self.binary |= b"\x00" in line.content
            if block is not None:
                if block.takes(line):
                    continue
                yield from block.passage()
                block = None
            block = _Block.begun_by(line)
            if block is None:
                yield from self._single(line)
        if block is not None:
            yield from block.passage()
        if self._run is not None:
            number, verb = self._run
            text = f"{_OURS}: the log ends without an end of terraform {verb}"
            yield Passage(text, text, number)

    def _single(self, line: RawLine) -> Iterator[Passage]:
        if line.content[:1] == b"{" and b'"@' in line.content[:80]:
            event = parse(Line("stdout", line.content.decode("utf-8", "replace").rstrip("\r")))
            if not isinstance(event, TextLine):
                yield from self._event(event, line.number)
                return
        suspect = line.marked is not None or _looks_bad(line.content)
        if not suspect:
            return
        text = line.text.strip()
        if line.marked is not None:
            yield Passage(" ".join(text.split()), text, line.number, certain=False)
        if _SUSPECT.search(text) and not _NOISE.search(text):
            self._suspects = [*self._suspects, (line.number, text)][-_SUSPECTS:]

    def _event(self, event: object, number: int) -> Iterator[Passage]:
        if isinstance(event, DiagnosticEvent):
            said = event.diagnostic
            if said.is_error:
                raw = f"{said.summary}\n{said.detail}".strip()
                yield Passage(" ".join(raw.split()), raw, number, said.address)
        elif isinstance(event, UnknownEvent) and event.fields.get("@module") == _OURS:
            if event.type == "run_started":
                self._run = number, str(event.fields.get("verb", ""))
            elif event.type == "run_ended":
                self._run = None


@dataclass
class _Block:
    """An error or warning as Terraform prints it for people, in a box or plain."""

    number: int
    boxed: bool
    error: bool
    kept: list[str]
    address: str | None = None
    blank: int = 0

    @classmethod
    def begun_by(cls, line: RawLine) -> _Block | None:
        """Return the block that a line begins; None where it begins none."""
        if b"rror: " not in line.content and b"arning: " not in line.content:
            return None
        text = line.text
        plain = _BAR.sub("", text)
        begins = _BEGINS.match(plain)
        if begins is None or _NOISE.match(plain):
            return None
        if begins[1] == "Warning" and plain == text and line.marked is not None:
            return None  # of another program: SSH warns of what makes it fail
        kept = [plain[len(begins[0]) :]]
        return cls(line.number, plain != text, begins[1] == "Error", kept)

    def takes(self, line: RawLine) -> bool:
        """Take one more line; refuse it where it is no longer part of the block."""
        text = line.text
        plain = _BAR.sub("", text)
        if self.boxed:
            if plain == text or text.strip() == "╵":
                return plain != text
        elif _ends(text):
            return False
        elif not text.strip():
            self.kept.append("")
            self.blank += 1
            return self.blank < _MOST_BLANK
        else:
            self.blank = 0
        if len(self.kept) >= _MOST_LINES:
            return False
        place = _PLACE.match(plain)
        if place is None:
            self.kept.append(plain.rstrip())
        elif place["address"] and self.address is None:
            self.address = place["address"]
        return True

    def passage(self) -> Iterator[Passage]:
        """Give it, where it is an error."""
        if self.error:
            raw = "\n".join(self.kept).strip()
            yield Passage(" ".join(raw.split()), raw, self.number, self.address)


def _ends(text: str) -> bool:
    if text.startswith(('{"@', "╷", "error: ")):
        return True
    return bool(_BEGINS.match(text)) and not _QUOTED.match(text)


def _looks_bad(content: bytes) -> bool:
    small = content[:_LONGEST].lower()
    return any(
        word in small
        for word in (b"error", b"fail", b"fatal", b"denied", b"exception", b"unable", b"cannot")
    )
