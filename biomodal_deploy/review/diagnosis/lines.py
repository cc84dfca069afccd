"""A file of any size and origin as lines, marked where they matter, and without secrets."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final, Protocol

from biomodal_deploy.known_errors import grouped
from biomodal_deploy.plan.redactor import HIDDEN_TEXT

_CHUNK: Final = 1 << 20
_LONGEST: Final = 1 << 16
# From here on, groups of texts are found faster than each of them is looked for.
_LARGE: Final = 1 << 17
_UTF16: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_ANSI: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
# What a CI system, the EC2 console, the journal or cloud-init puts before each line.
_PREFIX: Final = re.compile(
    r"^(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d) ?(?:\d\d[OE][ +])?"
    r"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d |(?:ip-|localhost|ubuntu)[\w.-]* |\[ *\d+\.\d+\] "
    r"|[\w.@-]+\[\d+\]: |##\[(?:error|debug|command)\])+"
)
_CONTINUED: Final = b"caused by: "
_MOST_JOINED: Final = 4_000
_PREFIXED: Final = re.compile(r"[0-9\[#c]|[A-Z][a-z]{2} [ \d]\d ")


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Return as many bytes or fewer, none at the end."""


@dataclass(frozen=True, slots=True)
class RawLine:
    """One line.

    Attributes:
        number: From 1.
        content: Without its end, and cut where it is very long.
        marked: Where in it one of the texts looked for stands first; None where none does.
        last: The number of the last line that it was made of.
    """

    number: int
    content: bytes
    marked: int | None
    last: int

    @property
    def text(self) -> str:
        """It without colours, control characters and what a CI system put before it."""
        text = self.printed
        return _PREFIX.sub("", text) if _PREFIXED.match(text) else text

    def around(self, length: int) -> RawLine:
        """Return at most so many bytes of it, with the text that was looked for in the middle."""
        start = max(0, (self.marked or 0) - length // 2)
        if len(self.content) <= length:
            return self
        return replace(self, content=self.content[start : start + length])

    def with_next(self, line: RawLine) -> RawLine:
        """Return it with the line behind it, as one."""
        marked = self.marked
        if marked is None and line.marked is not None:
            marked = len(self.content) + 1 + line.marked
        return RawLine(
            self.number, self.content.rstrip() + b" " + line.content, marked, line.number
        )

    @property
    def printed(self) -> str:
        """It without colours and control characters."""
        text = self.content.decode("utf-8", "replace")
        if "\x1b" in text:
            text = _ANSI.sub("", text)
        return text.replace("\x00", "").rstrip("\r\n")


def read_lines(stream: Readable, marks: Sequence[str]) -> Iterator[RawLine]:
    """Give the lines of a stream; never more than a block of it is in memory.

    What AWS's library for Go puts on a second line is a part of the first.
    """
    held: RawLine | None = None
    for line in _single_lines(stream, marks):
        if held is not None:
            if line.content.startswith(_CONTINUED) and len(held.content) < _MOST_JOINED:
                held = held.with_next(line)
                continue
            yield held
        held = line
    if held is not None:
        yield held


def _single_lines(stream: Readable, marks: Sequence[str]) -> Iterator[RawLine]:
    wanted = [mark.encode() for mark in marks]
    number = 0
    for block in _blocks(stream):
        small = block.lower()
        if len(small) > _LARGE:
            groups = _grouped(tuple(marks))
            wanted = [mark for seed, group in groups if seed in small for mark in group]
        hits = _hits(small, wanted)
        start = 0
        while start < len(block):
            end = block.find(b"\n", start)
            end = len(block) if end < 0 else end
            number += 1
            found = hits.get(start)
            # Of a line without end, what stands around the place of interest.
            first = start if found is None else max(start, found - _LONGEST // 2)
            content = block[first : min(end, first + _LONGEST)]
            yield RawLine(number, content, None if found is None else found - first, number)
            start = end + 1


@cache
def _grouped(marks: tuple[str, ...]) -> list[tuple[bytes, list[bytes]]]:
    return [(seed.encode(), [mark.encode() for mark in group]) for seed, group in grouped(marks)]


def _hits(small: bytes, wanted: Sequence[bytes]) -> dict[int, int]:
    """Return where lines start in which something stands, each with the first place."""
    hits: dict[int, int] = {}
    for mark in wanted:
        place = small.find(mark)
        while place >= 0:
            start = small.rfind(b"\n", 0, place) + 1
            hits[start] = min(place, hits.get(start, place))
            end = small.find(b"\n", place)
            place = small.find(mark, end) if end >= 0 else -1
    return hits


def _blocks(stream: Readable) -> Iterator[bytes]:
    """Give whole lines, as UTF-8; a line that never ends is cut into several."""
    rest = b""
    for chunk in _as_utf8(stream):
        rest += chunk
        end = rest.rfind(b"\n") + 1
        if not end and len(rest) < _CHUNK:
            continue
        end = end or len(rest)
        yield rest[:end]
        rest = rest[end:]
    if rest:
        yield rest


def _as_utf8(stream: Readable) -> Iterator[bytes]:
    first = stream.read(_CHUNK)
    encoding = _UTF16.get(first[:2])
    if encoding is None:
        yield first.removeprefix(codecs.BOM_UTF8)
        yield from iter(lambda: stream.read(_CHUNK), b"")
        return
    # What PowerShell writes with `>`.
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    yield decoder.decode(first[2:]).encode()
    for chunk in iter(lambda: stream.read(_CHUNK), b""):
        yield decoder.decode(chunk).encode()


# A word that stands before a secret; not inside another word: "ExpiredToken: The ..." is none.
_NAMES: Final = (
    r"(?:aws_?)?secret(?:_?access)?_?key|(?:aws_?)?(?:session|security)_?token|access_?token|client_?secret"
    r"|(?<![a-z])(?:password|passwd|passphrase|token|api_?key|private_?key|secret)"
)
_BLOCK: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
# What is hidden already stays as it is.
# So do the words of GitHub's permission `id-token: write`.
_SEEN: Final = rf"(?!{re.escape(HIDDEN_TEXT)}|(?:write|none)(?![\w+/=.-]))"
# Between a name and its value: never given back, or the look ahead would begin one space earlier.
_IS: Final = r"""\\?[\"']?+\s*+[:=]\s*+\\?+[\"']?+"""
_AFTER: Final = (
    # In quotes, a value may hold spaces.
    re.compile(
        rf"((?:{_NAMES})\\?[\"']?\s*+[:=]\s*+\\?([\"'])){_SEEN}([^\"'\r\n]+)", re.IGNORECASE
    ),
    re.compile(rf"((?:{_NAMES}){_IS}){_SEEN}([^\s\"'\\,;&]+)", re.IGNORECASE),
    re.compile(rf"((?:proxy-)?authorization{_IS}){_SEEN}([^\r\n\"]+)", re.IGNORECASE),
    re.compile(r"(://[^/\s:@]*:)([^/\s@]+)(?=@)"),
    re.compile(
        rf"(X-Amz-(?:Signature|Credential|Security-Token){_IS}){_SEEN}([^&\s\"]+)", re.IGNORECASE
    ),
    re.compile(rf"(--password[= ]){_SEEN}(\S+)"),
    # As arguments: of curl and wget, of docker login, of aws configure set.
    re.compile(
        rf"(\b(?:curl|wget)\b[^\r\n]{{0,200}}?\s(?:-u|--user)[ =]?[\"']?[^\s:\"'/]+:)"
        rf"{_SEEN}([^\s\"']+)"
    ),
    re.compile(rf"(\bdocker login\b[^\r\n]{{0,200}}?\s-p[ =]?){_SEEN}(\S+)"),
    re.compile(rf"(configure set \S*(?:secret|token)\S* ){_SEEN}(\S+)"),
)
_WHOLE: Final = (
    re.compile(r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
    re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+"),
    re.compile(
        r"\b(?:gh[pousr]_\w{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,})"
    ),
    re.compile(r"\b[\w-]{10,}\.atlasv1\.[\w-]{40,}"),
    # An AWS secret key: forty characters, of every kind; a digest has small letters alone.
    re.compile(
        r"(?<![\w/+=.-])(?=[A-Za-z0-9/+]*[A-Z])(?=[A-Za-z0-9/+]*[a-z])(?=[A-Za-z0-9/+]*\d)"
        r"[A-Za-z0-9/+]{40}(?![\w/+=-])"
    ),
)


def scrubbed(text: str) -> str:
    """Return a text without what looks like a secret."""
    if "PRIVATE KEY" in text:
        text = _BLOCK.sub(HIDDEN_TEXT, text)
    for pattern in _AFTER:
        text = pattern.sub(rf"\1{HIDDEN_TEXT}", text)
    for pattern in _WHOLE:
        text = pattern.sub(HIDDEN_TEXT, text)
    return text
