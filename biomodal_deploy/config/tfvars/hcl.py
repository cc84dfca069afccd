"""Read the plain values of a `.tfvars` file: HCL without references, calls or operators.

Written for this one purpose because a general HCL library takes two seconds to start, lets
repeated names through and leaves escapes as they stand. Messages never repeat what stands in
the file: it may be a secret.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from biomodal_deploy.config.tfvars.values import MOST_DIGITS, Value, as_text, number

DEEPEST: Final = 50

_T = TypeVar("_T")
_BLANK: Final = re.compile(r"(?:[ \t]+|/\*.*?\*/)+", re.DOTALL)
_LINE_END: Final = re.compile(r"(?:(?:#|//)[^\n]*)?(?:\r?\n|\Z)")
_NAME: Final = re.compile(r"[^\W\d][\w-]*")
_FOR: Final = re.compile(r"for\s")
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_OPERATOR: Final = re.compile(r"[-+*%<>!&|?.\[(]|/(?!/)")
_QUOTED: Final = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_HEREDOC: Final = re.compile(
    r"<<(?P<flush>-?)(?P<mark>[^\W\d][\w-]*)\r?\n"
    r"(?P<body>(?:[^\n]*\n)*?)(?P<end>[^\S\n]*(?P=mark)[^\S\r\n]*)(?=\r?\n)"
)
_TEMPLATE: Final = re.compile(r"(?P<mark>\$\$|%%|\$|%)\{")
_ESCAPE: Final = re.compile(
    r"\\(?:(?P<short>[nrt\"\\])|u(?P<four>[0-9a-fA-F]{4})|U(?P<eight>[0-9a-fA-F]{8})|.)|"
    + _TEMPLATE.pattern
)
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_KEYWORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
_ONLY_VALUES: Final = "A variable file holds plain values: no references, calls or operators"
_QUOTES: Final = "put text between double quotes"


class HclError(ValueError):
    """The text is not what a variable file may hold.

    Attributes:
        rule: What must hold.
        fix: What to do.
        line: The line, from 1.
        column: The character in it, from 1.
    """

    def __init__(self, rule: str, fix: str, line: int, column: int) -> None:
        super().__init__(rule)
        self.rule, self.fix, self.line, self.column = rule, fix, line, column


@dataclass(frozen=True)
class Attribute:
    """One `name = value` of a file.

    Attributes:
        value: Its value.
        line: The line its name stands on; None in JSON.
    """

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


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.place = text.removeprefix("\ufeff"), 0

    def body(self) -> dict[str, Attribute]:
        found: dict[str, Attribute] = {}
        line, counted = 1, 0
        self.skip(lines=True)
        while self.place < len(self.text):
            start = self.place
            line, counted = line + self.text.count("\n", counted, start), start
            name = self.take(_NAME)
            if name is None:
                raise self.error("A line holds name = value", "write the name without quotes")
            self.skip()
            if not self.match("="):
                raise self.error("A name is followed by =", "write name = value")
            if name in found:
                rule = f"The name {name} is given twice, first on line {found[name].line}"
                raise self.error(rule, "keep one of them", start)
            found[name] = Attribute(self.value(0, lines=False), line)
            if self.take(_LINE_END) is None:
                raise self.error("Each value ends its line", "start a new line here")
            self.skip(lines=True)
        return found

    def whole(self) -> Value:
        self.skip(lines=True)
        value = self.value(0, lines=True)
        if self.place < len(self.text):
            raise self.error("Nothing follows the value", "remove the rest")
        return value

    def value(self, depth: int, *, lines: bool) -> Value:
        """Read a value and the blank space around it."""
        if depth > DEEPEST:
            raise self.error(f"Values nest at most {DEEPEST} deep", "flatten it")
        self.skip(lines=lines)
        value = self.term(depth)
        self.skip(lines=lines)
        if _OPERATOR.match(self.text, self.place):
            raise self.error(_ONLY_VALUES, "write the result itself")
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
        if (digits := self.take(_NUMBER)) is not None:
            return self.number(digits, start)
        word = self.take(_NAME)
        if word in _KEYWORDS:
            return _KEYWORDS[word]
        if word is not None:
            raise self.error(_ONLY_VALUES, _QUOTES, start)
        raise self.error("A value is missing or malformed", _QUOTES, start)

    def negative(self) -> Value:
        self.place += 1
        self.skip()
        start = self.place
        digits = self.take(_NUMBER)
        if digits is None:
            raise self.error(_ONLY_VALUES, "write a number after the minus sign")
        return self.number("-" + digits, start)

    def number(self, digits: str, start: int) -> Value:
        value = number(digits)
        if value is None:
            rule = f"A number has at most {MOST_DIGITS} digits"
            raise self.error(rule, "round it, or make it a text", start)
        if self.take(_NAME) is not None:
            raise self.error("A number is followed by something else", _QUOTES, start)
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
                break
            self.skip(lines=True)
        return found

    def members(self, depth: int) -> dict[str, Value]:
        found: dict[str, Value] = {}
        self.skip(lines=True)
        while not self.at("}") and self.place < len(self.text):
            start = self.place
            if self.take(_FOR):
                raise self.error(_ONLY_VALUES, "write the result itself", start)
            key = self.key(depth)
            self.skip()
            if not (self.match("=") or self.match(":")):
                raise self.error("A key is followed by = or :", "write key = value")
            if key in found:
                raise self.error("A key is given twice", "keep one of them", start)
            found[key] = self.value(depth + 1, lines=False)
            if not self.match(",") and not self.at("}") and not self.take(_LINE_END):
                rule = "Members stand on lines of their own or between commas"
                raise self.error(rule, "put a comma or a new line here")
            self.skip(lines=True)
        return found

    def key(self, depth: int) -> str:
        start = self.place
        name = self.take(_NAME)
        if name is not None:
            return name
        value = self.term(depth + 1)
        if isinstance(value, str):
            return value
        if value is None or isinstance(value, list | dict):
            raise self.error("A key is a text", _QUOTES, start)
        return as_text(value)

    def quoted(self) -> str:
        found = _QUOTED.match(self.text, self.place)
        if not found:
            rule = "A text in double quotes ends on its own line"
            raise self.error(rule, r'close it with ", or write \n for a new line')
        self.place = found.end()
        return self.decoded(_ESCAPE, found[1], found.start(1))

    def heredoc(self) -> str:
        found = _HEREDOC.match(self.text, self.place)
        if not found:
            rule = "A text over several lines starts with <<END and ends with END on its own line"
            raise self.error(rule, "add the closing line")
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
                raise self.error(_ONLY_VALUES, fix, offset + found.start())
            if part["short"]:
                return _ESCAPED[part["short"]]
            code = int(part["four"] or part["eight"] or "110000", 16)
            if code <= sys.maxunicode and not 0xD800 <= code <= 0xDFFF:
                return chr(code)
            rule = r"Only \n \r \t \" \\ \uNNNN and \UNNNNNNNN are escapes"
            raise self.error(rule, r"write \\ for a backslash", offset + found.start())

        return pattern.sub(plain, raw)

    def skip(self, *, lines: bool = False) -> None:
        """Pass over blanks and comments, and over line ends where they mean nothing."""
        while True:
            start = self.place
            self.take(_BLANK)
            if self.at("/*"):
                raise self.error("A comment is not closed", "close it with */")
            if lines and self.place < len(self.text):
                self.take(_LINE_END)
            if self.place == start:
                return

    def take(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self.text, self.place)
        if not found:
            return None
        self.place = found.end()
        return found[0]

    def match(self, mark: str) -> bool:
        found = self.at(mark)
        self.place += len(mark) if found else 0
        return found

    def at(self, mark: str) -> bool:
        return self.text.startswith(mark, self.place)

    def error(self, rule: str, fix: str, place: int | None = None) -> HclError:
        place = self.place if place is None else place
        line = self.text.count("\n", 0, place) + 1
        column = place - self.text.rfind("\n", 0, place)
        return HclError(rule, fix, line, column)


def _without_common_indent(text: str) -> str:
    """Return the text of a `<<-` block; blank lines neither count nor change."""
    lines = re.findall(r"[^\n]*\n", text)
    indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    common = min(indents, default=0)
    return "".join(line[common:] if line.strip() else line for line in lines)
