"""Going through the text of a variable file, and saying where in it something is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

BLANK: Final = re.compile(r"(?:[ \t]+|/\*.*?\*/)+", re.DOTALL)
LINE_END: Final = re.compile(r"(?:(?:#|//)[^\n]*)?(?:\r?\n|\Z)")


@dataclass(frozen=True)
class Fault:
    """One place in a text that is not what a variable file may hold.

    Attributes:
        line: The line, from 1.
        column: The character in it, from 1.
        name: The variable whose value it is in; None where it is in none.
    """

    rule: str
    fix: str
    line: int
    column: int
    name: str | None = None


class Stop(Exception):
    """A fault that ends the reading of a value."""

    def __init__(self, fault: Fault, *, inside: bool = False, last: bool = False) -> None:
        super().__init__(fault.rule)
        self.fault, self.inside, self.last = fault, inside, last


class Scanner:
    """A text, and the place in it that comes next.

    Attributes:
        faults: What was wrong before it.
    """

    def __init__(self, text: str) -> None:
        self.text, self.place = text.removeprefix("\ufeff"), 0
        self.faults: list[Fault] = []

    def skip(self, *, lines: bool = False) -> None:
        """Pass over blanks and comments, and over line ends where they mean nothing."""
        while True:
            start = self.place
            self.take(BLANK)
            if self.at("/*"):
                raise self.error("A comment is not closed", "close it with */", last=True)
            if lines and self.place < len(self.text):
                self.take(LINE_END)
            if self.place == start:
                return

    def take(self, pattern: re.Pattern[str]) -> str | None:
        """Return what a pattern matches here, and go on behind it; None where it does not match."""
        found = pattern.match(self.text, self.place)
        if not found:
            return None
        self.place = found.end()
        return found[0]

    def match(self, mark: str) -> bool:
        """Go on behind a mark; False where it does not stand here."""
        found = self.at(mark)
        self.place += len(mark) if found else 0
        return found

    def at(self, mark: str) -> bool:
        """Return whether a mark stands here."""
        return self.text.startswith(mark, self.place)

    def error(
        self,
        rule: str,
        fix: str,
        place: int | None = None,
        *,
        inside: bool = False,
        last: bool = False,
    ) -> Stop:
        """Return a fault at a place, by default here, to be raised or kept."""
        place = self.place if place is None else place
        line = self.text.count("\n", 0, place) + 1
        column = place - self.text.rfind("\n", 0, place)
        return Stop(Fault(rule, fix, line, column), inside=inside, last=last)

    def end_of_line(self, place: int) -> int:
        """Return where the line of a place ends."""
        found = self.text.find("\n", place)
        return len(self.text) if found < 0 else found
