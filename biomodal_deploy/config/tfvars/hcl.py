"""Read the plain values of a `.tfvars` file: HCL without references, calls or operators.

Written for this one purpose because a general HCL library takes two seconds to start, lets
repeated names through and leaves escapes as they stand. Messages never repeat what stands in
the file: it may be a secret.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from biomodal_deploy.config.tfvars import scanner
from biomodal_deploy.config.tfvars.scanner import (
    BLANK,
    LINE_END,
    LITERALS,
    NUMBER,
    RESULT,
    Fault,
    Scanner,
    Stop,
)
from biomodal_deploy.config.tfvars.values import MOST_DIGITS, Value, as_text, number

DEEPEST: Final = 50
MOST_FAULTS: Final = 20

_T = TypeVar("_T")
_OPERATOR: Final = re.compile(r"[-+*%<>!&|?.\[(]|==|/(?!/)")
_QUOTED: Final = re.compile(r'"((?:[^"\\\r\n]|\\.)*)"')
_HEREDOC: Final = re.compile(
    r"<<(?P<flush>-?)(?P<mark>[^\s<-][^\s]*)\r?\n"
    r"(?P<body>(?:[^\n]*\n)*?)(?P<end>[^\S\n]*(?P=mark)[^\S\r\n]*)(?=\r?\n)"
)
_LONE_RETURN: Final = re.compile(r"\r(?!\n)")
_TEMPLATE: Final = re.compile(r"(?P<mark>\$\$|%%|\$|%)\{")
_ESCAPE: Final = re.compile(
    r"\\(?:(?P<short>[nrt\"\\])|u(?P<four>[0-9a-fA-F]{4})|U(?P<eight>[0-9a-fA-F]{8})|.)|"
    + _TEMPLATE.pattern
)
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_KEYWORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
_QUOTES: Final = "put text between double quotes"
# What a value that cannot be read goes over, as far as its end can be seen.
_PASSED_OVER: Final = re.compile(
    r""""(?:[^"\\\n]|\\.)*"|“[^“”\n]*”|\u2018[^\u2018\u2019\n]*\u2019|'[^'\n]*'|[^\n,\[\]{}()#]"""
)
_NEXT_NAME: Final = re.compile(r"[^\W\d][\w-]*[ \t]*(?:=(?!=)|:)")


class HclError(ValueError):
    """The text is not what a variable file may hold."""

    def __init__(
        self, faults: Sequence[Fault], found: Mapping[str, Attribute] | None = None
    ) -> None:
        super().__init__(faults[0].rule)
        self.faults, self.attributes = tuple(faults), dict(found or {})


@dataclass(frozen=True)
class Attribute:
    """One `name = value` of a file."""

    value: Value
    line: int | None


def attributes(text: str) -> dict[str, Attribute]:
    """Return the attributes of a variable file.

    Raises:
        HclError: The text is malformed, repeats a name or holds more than plain values.
    """
    return _Reader(text).body()


def expression(text: str) -> Value:
    """Return the value of one expression, as `-var` takes it for a variable of composite type.

    Raises:
        HclError: The text is malformed or holds more than a plain value.
    """
    return _Reader(text).whole()


class _Reader(Scanner):
    def body(self) -> dict[str, Attribute]:
        found: dict[str, Attribute] = {}
        names: dict[str, int] = {}
        line, counted = 1, 0
        while self.place < len(self.text):
            start, name, before = self.place, None, len(self.faults)
            try:
                self.skip(lines=True)
                start = self.place
                if start == len(self.text):
                    break
                line, counted = line + self.text.count("\n", counted, start), start
                name = self.name(names, line)
                value = self.value(0, lines=False)
                if self.take(LINE_END) is None:
                    raise self.error(*scanner.for_rest(self.text, self.place), inside=True)
            except Stop as stop:
                self.faults.append(stop.fault)
                if stop.last or len(self.faults) >= MOST_FAULTS:
                    self.place = len(self.text)
                elif name is None or stop.inside:
                    self.past_value()
                    self.place = self.end_of_line(self.place)
                else:
                    self.to_next_name(start)
            if len(self.faults) == before and name is not None:
                found[name] = Attribute(value, line)
            self.faults[before:] = [replace(each, name=name) for each in self.faults[before:]]
        if self.faults:
            # A bracket that is not closed takes in lines that are then read once more.
            each = {(fault.line, fault.column): fault for fault in self.faults}
            raise HclError([each[place] for place in sorted(each)], found)
        return found

    def name(self, names: dict[str, int], line: int) -> str:
        """Read a name and its equals sign."""
        start = self.place
        name = self.take_name()
        if name is None:
            json_or_yaml = self.at("---") or (self.at("{") and not names and not self.faults)
            raise self.error(*scanner.for_name(self.text, start), last=json_or_yaml)
        self.skip()
        if self.at("==") or not self.match("="):
            raise self.error(*scanner.for_equals(self.text, self.place, name))
        if name in names:
            rule = f"The name {name} is given twice, first on line {names[name]}"
            self.faults.append(self.error(rule, "keep one of them", start).fault)
        names.setdefault(name, line)
        return name

    def to_next_name(self, start: int) -> None:
        """Go on behind a value whose end is not to be seen: at a name that is indented no more."""
        indent = start - (self.text.rfind("\n", 0, start) + 1)
        place = self.text.find("\n", start)
        while place >= 0:
            blank = BLANK.match(self.text, place + 1)
            first = blank.end() if blank else place + 1
            if first - place - 1 <= indent and _NEXT_NAME.match(self.text, first):
                self.place = first
                return
            place = self.text.find("\n", place + 1)
        self.place = len(self.text)

    def past_value(self) -> None:
        """Pass over what cannot be read, to the comma, bracket or line end behind it."""
        depth = 0
        while self.place < len(self.text):
            if self.take(_PASSED_OVER) is not None:
                continue
            mark = self.text[self.place]
            depth += (mark in "[{(") - (mark in "]})")
            if depth < 0 or (depth == 0 and mark not in "]})"):
                return
            self.place += 1

    def whole(self) -> Value:
        try:
            self.skip(lines=True)
            value = self.value(0, lines=True)
            if self.place < len(self.text):
                raise self.error("Nothing follows the value", "remove the rest")
        except Stop as stop:
            self.faults.append(stop.fault)
        if self.faults:
            raise HclError(self.faults)
        return value

    def value(self, depth: int, *, lines: bool) -> Value:
        """Read a value and the blank space around it."""
        if depth > DEEPEST:
            raise self.error(f"Values nest at most {DEEPEST} deep", "flatten it", last=True)
        self.skip(lines=lines)
        try:
            value = self.term(depth)
            self.skip(lines=lines)
            if _OPERATOR.match(self.text, self.place):
                raise self.error(LITERALS, RESULT, inside=True)
        except Stop as stop:
            if not stop.inside:
                raise
            self.faults.append(stop.fault)
            self.past_value()
            self.skip(lines=lines)
            return None
        return value

    def term(self, depth: int) -> Value:
        start = self.place
        mark = self.text[start : start + 1]
        readers: dict[str, Callable[[], Value]] = {
            '"': self.quoted,
            "[": lambda: self.within("]", lambda: self.elements(depth)),
            "{": lambda: self.within("}", lambda: self.members(depth)),
            "(": lambda: self.within(")", lambda: self.value(depth + 1, lines=True)),
            "<": self.heredoc,
            "-": self.negative,
        }
        if mark in readers:
            return readers[mark]()
        if (digits := self.take(NUMBER)) is not None:
            return self.number(digits, start)
        word = self.take_name()
        if word in _KEYWORDS:
            return _KEYWORDS[word]
        raise self.error(*scanner.for_value(self.text, start), start, inside=True)

    def negative(self) -> Value:
        self.place += 1
        self.skip()
        start = self.place
        digits = self.take(NUMBER)
        if digits is None:
            fix = "write a number after the minus sign"
            raise self.error(LITERALS, fix, inside=True)
        return self.number("-" + digits, start)

    def number(self, digits: str, start: int) -> Value:
        value = number(digits)
        if value is None:
            rule = f"A number has at most {MOST_DIGITS} digits"
            raise self.error(rule, "round it, or make it a text", start, inside=True)
        if hint := scanner.text_in_digits(self.text, start):
            raise self.error(*hint, start, inside=True)
        return value

    def within(self, closing: str, read: Callable[[], _T]) -> _T:
        start = self.place
        self.place += 1
        result = read()
        if not self.match(closing):
            raise self.error(
                f"The closing {closing} is missing", "close what is opened here", start
            )
        return result

    def elements(self, depth: int) -> list[Value]:
        found: list[Value] = []
        self.skip(lines=True)
        while not self.at("]"):
            found.append(self.value(depth + 1, lines=True))
            if not self.match(","):
                self.refuse_missing_comma()
                break
            self.skip(lines=True)
        return found

    def refuse_missing_comma(self) -> None:
        ends = self.place >= len(self.text) or self.text[self.place] in "])}="
        if not ends and not _NEXT_NAME.match(self.text, self.place):
            raise self.error("Elements are separated by commas", "put a comma here")

    def members(self, depth: int) -> dict[str, Value]:
        found: dict[str, Value] = {}
        self.skip(lines=True)
        while not self.at("}") and self.place < len(self.text):
            start = self.place
            # To Terraform `é` is one key, however it is composed.
            key = unicodedata.normalize("NFC", self.key(depth))
            self.skip()
            if not (self.match("=") or self.match(":")):
                raise self.error("A key is followed by = or :", "write key = value")
            if key in found:
                raise self.error("A key is given twice", "keep one of them", start)
            found[key] = self.value(depth + 1, lines=False)
            if not self.match(",") and not self.at("}") and self.take(LINE_END) is None:
                rule = "Members stand on lines of their own or between commas"
                raise self.error(rule, "put a comma or a new line here")
            self.skip(lines=True)
        return found

    def key(self, depth: int) -> str:
        start = self.place
        name = self.take_name()
        if name == "for":
            self.skip()
            raise self.error(LITERALS, _QUOTES if self.at("=") or self.at(":") else RESULT, start)
        if name is not None:
            return name
        try:
            value = self.term(depth + 1)
        except Stop as stop:
            # Behind a key that cannot be read, the object's other members cannot either.
            raise Stop(stop.fault, last=stop.last) from None
        if isinstance(value, str):
            return value
        if value is None or isinstance(value, list | dict):
            raise self.error("A key is a text", _QUOTES, start)
        return as_text(value)

    def quoted(self) -> str:
        found = _QUOTED.match(self.text, self.place)
        if not found:
            rest = self.text[self.place : self.end_of_line(self.place)]
            raise self.error(*scanner.for_open_text(rest))
        self.place = found.end()
        return self.decoded(_ESCAPE, found[1], found.start(1))

    def heredoc(self) -> str:
        found = _HEREDOC.match(self.text, self.place)
        if not found or scanner.past_name(found["mark"], 0) < len(found["mark"]):
            raise self.error(*scanner.for_heredoc(self.text, self.place), last=True)
        if lone := _LONE_RETURN.search(self.text, found.start(), found.end()):
            raise self.error(*scanner.LONE_RETURN, lone.start(), last=True)
        self.place = found.end("end")
        text = self.decoded(_TEMPLATE, found["body"], found.start("body"))
        return _without_common_indent(text) if found["flush"] else text

    def decoded(self, pattern: re.Pattern[str], raw: str, offset: int) -> str:
        def plain(found: re.Match[str]) -> str:
            part = found.groupdict()
            if mark := part["mark"]:
                # A brace behind $ or % makes it a template, unless it stands twice.
                if len(mark) == 2:
                    return mark[0] + "{"
                fix = f"write {mark}{mark}{{ for the plain characters"
                raise self.error(LITERALS, fix, offset + found.start(), inside=True)
            if part["short"]:
                return _ESCAPED[part["short"]]
            code = int(part["four"] or part["eight"] or "110000", 16)
            if code <= sys.maxunicode and not 0xD800 <= code <= 0xDFFF:
                return chr(code)
            rule = r"Only \n \r \t \" \\ \uNNNN and \UNNNNNNNN are escapes"
            fix = r"write \\ for a backslash"
            raise self.error(rule, fix, offset + found.start(), inside=True)

        return pattern.sub(plain, raw)


def _without_common_indent(text: str) -> str:
    """Return the text of a `<<-` block; blank lines neither count nor change."""
    lines = re.findall(r"[^\n]*\n", text)
    indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    common = min(indents, default=0)
    return "".join(line[common:] if line.strip() else line for line in lines)
