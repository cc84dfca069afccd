"""JSON as people write it: every fault of a text at once, and the line of each of its members."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

MOST_FAULTS: Final = 20
_DECODER: Final = json.JSONDecoder()
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_COMMENT: Final = re.compile(r"(?://|#)[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_QUOTED: Final = re.compile(r"“[^”\n]*[”\"]|\u2018[^\u2019\n]*\u2019|'[^'\n]*'|\"[^\"\n]*”")
_WORD: Final = re.compile(r"[^\W\d][\w.-]*")
_WORDS: Final = {"true": "true", "false": "false", "null": "null", "none": "null"}
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
# Control characters save the line's own, blanks that JSON has not, and what has no width at all.
_UNSEEN: Final = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xa0\xad\u1680\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff]"
)
_ESCAPE: Final = re.compile(
    r"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(?P<half>u[dD][89a-fA-F])|.)", re.DOTALL
)
_CLOSER: Final = {"{": "}", "[": "]"}

Path = tuple[str, ...]


@dataclass(frozen=True)
class JsonFault:
    """What is wrong at one place of a JSON text."""

    rule: str
    fix: str
    line: int
    column: int


@dataclass(frozen=True)
class Read:
    """What a JSON text holds, and what is wrong with it.

    Attributes:
        text: The text without the faults that were passed over, every line where it was.
    """

    value: Any
    faults: Sequence[JsonFault]
    text: str


def read_json(text: str, **how: Any) -> Read:
    """Read a JSON text.

    A fault whose correction is plain is passed over to find the next one; behind any other nothing
    is read.

    Args:
        **how: How `json.loads` reads numbers.

    Raises:
        ValueError: What `how` raised, or a number has more digits than Python reads.
        RecursionError: It nests too deep.
    """
    faults: list[JsonFault] = []
    if text.startswith("\ufeff"):
        rule = "The file begins with a byte order mark, which JSON does not have"
        faults.append(JsonFault(rule, "save it as UTF-8 without a byte order mark", 1, 1))
        text = " " + text[1:]
    while True:
        try:
            document = json.loads(text, **how)
        except json.JSONDecodeError as error:
            found = _Mending(text, error).mended()
            line = text.count("\n", 0, found.place) + 1
            column = found.place - text.rfind("\n", 0, found.place)
            faults.append(JsonFault(found.rule, found.fix, line, column))
            if found.text is None or len(faults) >= MOST_FAULTS:
                return Read(None, faults, text)
            text = found.text
        else:
            return Read(document, faults + _halves(text) + _repeated(text), text)


def line_of(text: str, path: Path) -> int | None:
    """Return the line of the member that a path leads to, or of the nearest one above it."""
    places = dict(_members(text))
    for length in range(len(path), 0, -1):
        if path[:length] in places:
            return text.count("\n", 0, places[path[:length]]) + 1
    return None


def _halves(text: str) -> list[JsonFault]:
    """Return the escapes that are half a character: nothing can write what they make."""
    rule, fix = "This escape is half a character", "write both halves, or the character itself"
    return [
        JsonFault(
            rule,
            fix,
            text.count("\n", 0, each.start()) + 1,
            each.start() - text.rfind("\n", 0, each.start()),
        )
        for each in _ESCAPE.finditer(text)
        if each["half"]
    ][:MOST_FAULTS]


def _repeated(text: str) -> list[JsonFault]:
    """Return the names that an object has twice: JSON lets the last one win without a word."""
    first: dict[Path, int] = {}
    found = []
    for path, place in _members(text):
        # To Terraform `é` is one name, however it is composed.
        composed = tuple(unicodedata.normalize("NFC", name) for name in path)
        if composed in first:
            line = text.count("\n", 0, place) + 1
            rule = f"{json.dumps(path[-1])} is there twice, first on line {first[composed]}"
            column = place - text.rfind("\n", 0, place)
            found.append(JsonFault(rule, "keep one of them", line, column))
        else:
            first[composed] = text.count("\n", 0, place) + 1
    return found[:MOST_FAULTS]


def _members(text: str) -> Iterator[tuple[Path, int]]:
    """Yield each member's path and where it begins, in their order; the text is valid."""
    # No recursion: what is nested deep is no error of ours.
    inside: list[tuple[Path, int]] = []
    path: Path = ()
    place = past_blank(text, 0)
    while place < len(text):
        mark = text[place]
        if mark in "{[":
            inside.append((path, 0 if mark == "[" else -1))
            place = past_blank(text, place + 1)
        elif mark in "}],":
            if mark != ",":
                inside.pop()
            place = past_blank(text, place + 1)
            if mark != ",":
                continue
        else:
            _, place = _DECODER.raw_decode(text, place)
            place = past_blank(text, place)
            continue
        if inside and place < len(text) and text[place] not in "}]":
            above, index = inside[-1]
            start = place
            if index < 0:
                key, place = _DECODER.raw_decode(text, place)
                place = past_blank(text, past_blank(text, place) + 1)
                path = (*above, key)
            else:
                inside[-1] = (above, index + 1)
                path = (*above, str(index))
            yield path, start


def past_blank(text: str, place: int) -> int:
    """Return the place behind the blanks that begin at a place."""
    found = _BLANK.match(text, place)
    return found.end() if found else place


@dataclass(frozen=True)
class _Mended:
    rule: str
    fix: str
    place: int
    text: str | None = None
    """The text without the fault, every other character where it was; None where that is open."""


class _Mending:
    """Finds out what the parser stumbled over."""

    def __init__(self, text: str, error: json.JSONDecodeError) -> None:
        self.text, self.message = text, error.msg
        self.at = past_blank(text, error.pos)
        self.mark = text[self.at : self.at + 1]
        self.before = len(text[: error.pos].rstrip(" \t\r\n")) - 1
        self.error = error

    def mended(self) -> _Mended:
        in_text = "control character" in self.message
        at = self.error.pos if in_text else self.at
        if found := _UNSEEN.match(self.text, at):
            # A disk that lost power leaves files of zeros: a run of them is one fault.
            run = len(self.text) - len(self.text[at:].lstrip(found[0])) - at
            times = f", {run:,} times" if run > 1 else ""
            rule = f"A character that cannot be seen stands here: U+{ord(found[0]):04X}{times}"
            fix = "remove it" if not in_text else f"remove it, or write \\u{ord(found[0]):04x}"
            rest = self.with_("", at, at + run)
            return _Mended(rule, fix, at, rest if rest.strip() else None)
        if "control character" in self.message or "Unterminated" in self.message:
            line = self.text[: self.error.pos].rpartition("\n")[2]
            if "”" in line or "”" in self.text[self.error.pos :].partition("\n")[0]:
                rule = 'A text begins with " and ends with a curly quote'
                return _Mended(rule, 'end it with a straight "', self.error.pos)
            rule = "A text in double quotes ends on its own line"
            return _Mended(rule, r'close it with ", or write \n for a new line', self.error.pos)
        if "escape" in self.message:
            rule = "A backslash begins an escape, and this one is none"
            return _Mended(rule, r"write \\ for a backslash", self.error.pos)
        if not self.mark:
            return self.unclosed()
        return (
            self.trailing_comma()
            or self.comment()
            or self.quotes()
            or self.word()
            or self.separator()
            or self.other()
        )

    def trailing_comma(self) -> _Mended | None:
        # Python's parsers name the comma, or what follows it.
        comma = self.before
        if self.mark == "," and past_blank(self.text, self.at + 1) < len(self.text):
            comma = self.at
        follows = self.text[past_blank(self.text, comma + 1) :][:1]
        if comma < 0 or self.text[comma] != "," or follows not in ("}", "]"):
            return None
        rule = f"A comma stands before {follows}, and nothing follows it"
        return _Mended(rule, "remove the comma", comma, self.with_("", comma, comma + 1))

    def comment(self) -> _Mended | None:
        found = _COMMENT.match(self.text, self.at)
        if not found:
            return None
        blank = re.sub(r"[^\n]", " ", found[0])
        text = self.text[: self.at] + blank + self.text[found.end() :]
        return _Mended("JSON has no comments", "remove it", self.at, text)

    def quotes(self) -> _Mended | None:
        found = _QUOTED.match(self.text, self.at)
        if not found:
            return None
        kind = "Single" if self.mark == "'" else "Curly"
        text = None
        if '"' not in found[0][1:-1]:
            text = self.with_(f'"{found[0][1:-1]}"', self.at, found.end())
        rule = f"{kind} quotes stand around a text"
        return _Mended(rule, 'write straight double quotes: "', self.at, text)

    def word(self) -> _Mended | None:
        found = _WORD.match(self.text, self.at)
        if not found or ("property" not in self.message and "value" not in self.message):
            return None
        if "property" in self.message:
            return _Mended("A name stands without quotes", "put it between double quotes", self.at)
        right = _WORDS.get(found[0].lower())
        if right is None:
            return _Mended("Text stands without quotes", "put it between double quotes", self.at)
        text = self.with_(right, self.at, found.end())
        rule = "JSON has true, false and null in small letters"
        return _Mended(rule, f"write {right}", self.at, text)

    def separator(self) -> _Mended | None:
        if "':' delimiter" in self.message:
            rule = f"A name is followed by :{', and here is =' if self.mark == '=' else ''}"
            text = self.with_(":", self.at, self.at + 1) if self.mark == "=" else None
            return _Mended(rule, "write :", self.at, text)
        if "',' delimiter" not in self.message:
            return None
        if self.mark in '"{[' or self.mark.isdigit():
            gap = self.before + 1
            text = self.with_(",", gap, gap + 1) if gap < self.at else None
            rule = "A comma is missing behind this"
            return _Mended(rule, "put a comma here", self.before, text)
        if self.mark in "}]":
            rule = f"{self.mark} closes what something else opened"
            return _Mended(rule, f"close the {'{' if self.mark == ']' else '['} first", self.at)
        if self.text[self.before] != '"':
            return self.other()
        rule = "A text ends before this"
        return _Mended(rule, r"write \" for a quote inside a text", self.at)

    def other(self) -> _Mended:
        if "Extra data" in self.message:
            if self.mark in "}]":
                return _Mended(f"{self.mark} closes nothing that is open", "remove it", self.at)
            return _Mended("Something follows the end of the JSON value", "remove it", self.at)
        if self.mark in ",}]:":
            return _Mended("A value or a name is missing", "write it here", self.at)
        return _Mended(f"JSON does not allow this ({self.message})", "correct it", self.at)

    def unclosed(self) -> _Mended:
        """Find the innermost bracket that nothing closes."""
        open_: list[int] = []
        place = 0
        while place < len(self.text):
            if self.text[place] == '"' and (found := _STRING.match(self.text, place)):
                place = found.end()
                continue
            if self.text[place] in "{[":
                open_.append(place)
            elif self.text[place] in "}]" and open_:
                open_.pop()
            place += 1
        if not open_:
            return _Mended("The file is empty", "write a JSON object: { }", self.error.pos)
        closer = _CLOSER[self.text[open_[-1]]]
        return _Mended(f"The closing {closer} is missing", "close what is opened here", open_[-1])

    def with_(self, new: str, start: int, end: int) -> str:
        """Return the text with a part replaced, as long as it was where that can be."""
        return self.text[:start] + new.ljust(end - start) + self.text[end:]
