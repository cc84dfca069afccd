"""The errors inside a log: Terraform's boxes and events, and single lines of everything else."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

from biomodal_deploy.engine.process import Line
from biomodal_deploy.engine.terraform.events import DiagnosticEvent, TextLine, UnknownEvent, parse
from biomodal_deploy.known_errors.catalog import place_of
from biomodal_deploy.review.diagnosis.lines import RawLine, Readable, read_lines, scrubbed

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
# Words that stand in errors, and hardly in what a good run says.
_SUSPECT: Final = re.compile(
    r"errors?\b|exception|\b(?:fail|fatal|denied|cannot|can.t|couldn.t|could not|unable|refused"
    r"|reset by|rejected|invalid|illegal|malformed|missing|mismatch|corrupt|expired|exceed"
    r"|exhausted|timed out|time-?out|unreachable|unexpected|unknown|unsupported|not (?:found|valid"
    r"|allowed|supported|available|enough|permitted|authorized|signed|recognized|expected)"
    r"|no (?:such|longer|space|route|match)|too many|must be|must not|does ?n.t (?:have|exist)"
    r"|does not|is a directory|abort|crash|panic|killed|terminated|stopped|shut(?:ting)? ?down"
    r"|unhealthy|conflict|forbidden|unauthorized)"
    r"|^E: |(?:exit ?code|exit status|status code)\W+[1-9]|\b[45]\d\d [A-Z]\w",
    re.IGNORECASE,
)
# What CI systems and cdktf's command line say after the fact.
_NOISE: Final = re.compile(
    r"^(?:##\[error\])?(?:Error: +)?(?:Terraform exited with code|Process completed with exit code"
    r"|non-zero exit code \d+\s*$)"
)
# A comment, a heading, a plan's own line, a line of a program: these may hold any word.
_NO_ERROR: Final = re.compile(
    r"^(?:#+ |// |[+~-](?:/[+-])? +(?:\"|[\w.-]+ += )"
    r"|(?:if|elif|case|except|catch|while|def|function|raise|throw) |\*\w+\*\))"
)
# The program goes on: an error only where the log ends without success or another error.
_TENTATIVE: Final = re.compile(
    r"execution is retried|\bretrying\b|will (?:be retried|retry|try again)"
    r"|\[(?:WARN|INFO|DEBUG|TRACE)\]",
    re.IGNORECASE,
)
_SUCCESS: Final = re.compile(
    r"\W*(?:(?:apply|destroy) complete!|no changes\. your infra|pipeline completed success"
    r"|succeeded +: \d)",
    re.IGNORECASE,
)
# Nextflow prints a heading, and what it is about below it.
_HEADING: Final = re.compile(r"command (?:exit status|error):$", re.IGNORECASE)
_SIGNPOSTS: Final = (
    *("apply complete!", "destroy complete!", "no changes. your infra", "pipeline completed succ"),
    *("succeeded  ", "command exit status:", "command error:"),
)
# One of these stands in every suspect; looking for them first is a tenth of the work.
_HINT: Final = re.compile(
    rb"err|exce|fail|fatal|denied|can|could|unable|refused|reset|reject|invalid|illegal|malformed"
    rb"|missing|mismatch|corrupt|expire|exhaust|tim|unreach|unexp|unkn|unsup|not |no |too |must"
    rb"|doesn|does n|is a dir|abort|crash|panic|kill|terminat|stopped|shut|unhealthy|conflict"
    rb"|forbid|unauth|^e: |exit|status| [45]\d\d "
)
_OURS: Final = "biomodal-aws"
_SUSPECTS: Final = 5
# Lines that may be suspects.
_HINTS: Final = 2_000
# The first lines of a log say which machine wrote it.
_SHOWS_PLACE: Final = 200


@dataclass(frozen=True)
class Passage:
    """One error, as far as it can be told from what is around it.

    It may hold a secret until it is made `clean`, which costs too much to be done to every line.

    Attributes:
        text: Its words on one line.
        raw: It as it was.
        certain: Whether it is an error in Terraform's own form; a line of something else is one
            only where it is known.
        tentative: Whether the program itself goes on after it.
        place: Where it was printed, as far as its log shows.
    """

    text: str
    raw: str
    line: int
    address: str | None = None
    certain: bool = True
    tentative: bool = False
    place: str = ""
    origin: str = ""

    def clean(self) -> Passage:
        """Return it without secrets."""
        raw = scrubbed(self.raw)[:_LONGEST]
        return replace(self, text=" ".join(raw.split()), raw=raw)


@dataclass
class Reader:
    """Reads one log.

    Attributes:
        binary: Whether it had bytes that no text has.
        place: Where it was printed, by the last line that shows it.
        succeeded: The last line that says that a run succeeded; 0 where none does.
    """

    marks: Sequence[str]
    lines: int = 0
    binary: bool = False
    place: str = ""
    succeeded: int = 0
    _heading: str = ""
    _hints: deque[RawLine] = field(default_factory=lambda: deque(maxlen=_HINTS))
    _run: tuple[int, str] | None = None

    @property
    def suspects(self) -> tuple[tuple[int, str], ...]:
        """The last lines that look like errors, with their numbers."""
        texts = ((line.number, line.text.strip()) for line in reversed(self._hints))
        looks = (each for each in texts if _SUSPECT.search(each[1]) and not _NOISE.search(each[1]))
        last = [*islice(looks, _SUSPECTS)]
        return tuple((number, scrubbed(text)) for number, text in reversed(last))

    def passages(self, stream: Readable) -> Iterator[Passage]:
        """Give the errors of a log in order."""
        for passage in self._passages(stream):
            yield replace(passage, place=self.place)

    def _passages(self, stream: Readable) -> Iterator[Passage]:
        block: _Block | None = None
        for line in read_lines(stream, (*self.marks, *_SIGNPOSTS)):
            self.lines = line.last
            self.binary |= b"\x00" in line.content
            if line.number <= _SHOWS_PLACE or line.marked is not None:
                self.place = place_of(line.printed[:_LONGEST]) or self.place
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
        heading, self._heading = self._heading, ""
        if line.marked is None and not heading:
            # Whether it looks like an error is asked of the last ones only: that takes longer.
            if _HINT.search(line.content[:_LONGEST].lower()):
                self._hints.append(line.around(_LONGEST))
            return
        line = line.around(_LONGEST)
        text = line.text.strip()
        if _HEADING.match(text):
            self._heading = text
        elif _SUCCESS.match(text):
            self.succeeded = line.number
        elif not _NO_ERROR.match(text):
            self._hints.append(line)
            text = f"{heading} {text}".strip()
            tentative = _TENTATIVE.search(text) is not None
            words = " ".join(text.split())
            yield Passage(words, text, line.number, certain=False, tentative=tentative)

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
    closed: bool = False

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
            if plain == text or self.closed:
                return False
            self.closed = text.strip() == "╵"
            if self.closed:
                return True
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
