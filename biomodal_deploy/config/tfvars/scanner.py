"""Going through the text of a variable file, and saying where in it something is wrong.

What a person probably meant by a line that HCL does not have is said too, and what to write
instead. No hint repeats what stands in the file, save the few words that are listed here: the rest
may be a secret.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

BLANK: Final = re.compile(r"(?:[ \t]+|/\*.*?\*/)+", re.DOTALL)
# Digits are those of ASCII: `\d` has those of every script.
NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
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


def past_name(text: str, place: int) -> int:
    """Return the place behind the name that begins at a place, or that place where none does.

    Its letters are Unicode's, as in Python's own names, and a hyphen may follow them.
    """
    if text[place : place + 1].isidentifier():
        while place < len(text) and (text[place] == "-" or f"_{text[place]}".isidentifier()):
            place += 1
    return place


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

    def take_name(self) -> str | None:
        """Return the name that begins here, and go on behind it; None where none does."""
        start, self.place = self.place, past_name(self.text, self.place)
        return self.text[start : self.place] or None

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


LITERALS: Final = "tfvars take literal values: no references, calls or operators"
RESULT: Final = "write the result itself"

Hint = tuple[str, str]
"""The rule that is broken, and what to do."""

LONE_RETURN: Final[Hint] = (
    "A line ends with a lone carriage return",
    "save the file with line feeds (LF) as line ends",
)
_CLOSERS: Final = "}])"
_CURLY: Final = "“”„‟«»"
_CURLY_SINGLE: Final = "\u2018\u2019\u201a\u201b"
_ODD_SPACES: Final = {
    "\u00a0": "no-break space",
    "\u200b": "zero-width space",
    "\u202f": "narrow no-break space",
    "\u2003": "em space",
    "\u3000": "ideographic space",
    "\ufeff": "byte order mark",
}
_WORD: Final = re.compile(r"[^\W\d][\w-]*")
_KEYWORDS: Final = ("true", "false", "null")
_OTHER_LANGUAGES: Final = {
    **dict.fromkeys(("yes", "on"), "true"),
    **dict.fromkeys(("no", "off"), "false"),
    **dict.fromkeys(("none", "nil", "undefined"), "null"),
}
_REFERENCES: Final = frozenset(
    {"var", "local", "data", "module", "each", "count", "self", "path", "terraform"}
)
_OF_A_SHELL: Final = frozenset({"export", "set", "let", "declare", "setx"})
_CONFLICT: Final = re.compile(r"<{7}|={7}|>{7}")
_TEXT_LIKE: Final = re.compile(r"[\w.:/@+-]*[^\W\d_][\w.:/@+-]*|[\w]*(?:[.:/-]\w+){2,}")


def for_name(text: str, place: int) -> Hint:
    """Return what to say where a name was expected."""
    mark = text[place]
    if _CONFLICT.match(text, place):
        return "A merge conflict is left in the file", "resolve it"
    if text.startswith("---", place):
        return "--- begins YAML, and this file holds HCL", "write name = value, one a line"
    if mark == "{" and not text[:place].strip("\ufeff \t\r\n"):
        return "The file holds JSON, and its name says HCL", "rename it to end with .tfvars.json"
    if mark in _CLOSERS:
        return f"{mark} closes nothing that is open", "remove it"
    if mark in "\"'`" + _CURLY + _CURLY_SINGLE:
        return "A name stands in quotes", "write the name without quotes"
    if mark == ";" or text.startswith(("--", "<!--"), place):
        return "A line holds name = value", "begin a comment with #"
    if mark.isdigit():
        return "A name begins with a letter", "write name = value"
    if mark == "=":
        return "The name before = is missing", "write name = value"
    return _odd(mark) or ("A line holds name = value", "write name = value")


def for_equals(text: str, place: int, name: str) -> Hint:
    """Return what to say where a name has no `=` behind it."""
    mark = text[place : place + 1]
    if name in _OF_A_SHELL:
        return f"{name} is a word of the shell, not of HCL", f"remove {name}"
    if name == "variable":
        return "A variable file gives values and declares no variables", "write name = value"
    if mark == ":":
        return ": stands where = belongs", "write name = value"
    if mark == "{":
        return "A name is followed by =", "write name = { ... }"
    if mark == ".":
        fix = "remove var." if name == "var" else "write the whole object: name = { ... }"
        return "A name has no dots", fix
    if mark == "\N{FULLWIDTH EQUALS SIGN}":
        return "A wide = stands where = belongs", "write name = value"
    return _odd(mark) or ("A name is followed by =", "write name = value")


def for_value(text: str, place: int) -> Hint:
    """Return what to say where a value was expected."""
    mark = text[place : place + 1]
    if mark and mark in _CURLY + _CURLY_SINGLE:
        return "Curly quotes stand around a text", 'write straight double quotes: "'
    if mark in ("'", "`"):
        kind = "Single quotes" if mark == "'" else "Backticks"
        return f"{kind} stand around a text", 'write double quotes: "'
    if word := _WORD.match(text, place):
        return _for_word(word[0], text[word.end() :].lstrip(" \t")[:1])
    if mark in ("", "\n", "\r", "#", ",", *_CLOSERS):
        return "A value is missing", "write a value here"
    if mark == "$":
        rule = "Variables of the shell are not replaced here"
        return rule, "write the value between double quotes"
    if mark == "." and text[place + 1 : place + 2].isdigit():
        return "A number begins with a digit", "write 0 before the point"
    if mark in "./~\\":
        return _UNQUOTED
    if mark == "+":
        return "A number has no plus sign", "remove the +"
    if mark in "!*":
        return LITERALS, RESULT
    return _odd(mark) or ("A value is malformed", "put text between double quotes")


def for_rest(text: str, place: int) -> Hint:
    """Return what to say where a line goes on behind its value."""
    mark = text[place : place + 1]
    if mark and mark in ",;":
        return f"The value is followed by {mark}", "remove it"
    if mark and mark in _CLOSERS:
        return f"{mark} closes nothing that is open", "remove it"
    if mark == "\r":
        return LONE_RETURN
    if mark and mark in _CURLY + _CURLY_SINGLE:
        return "A curly quote follows the value", 'write straight double quotes: "'
    return _odd(mark) or ("Each value ends its line", "start a new line here")


def for_open_text(rest_of_line: str) -> Hint:
    """Return what to say of a text whose closing quote is missing."""
    if any(mark in rest_of_line for mark in _CURLY):
        return 'A text begins with " and ends with a curly quote', 'end it with a straight "'
    if "\r" in rest_of_line.removesuffix("\r"):
        return "A carriage return stands in a text", r"write \r"
    rule = "A text in double quotes ends on its own line"
    return rule, r'close it with ", or write \n for a new line'


def for_heredoc(text: str, place: int) -> Hint:
    """Return what to say of a heredoc that does not begin or end as it should."""
    first, _, body = text[place:].partition("\n")
    mark = first.removeprefix("<<").removeprefix("-").strip()
    if not _WORD.fullmatch(mark) or first.rstrip("\r") != first.strip() or "- " in first:
        rule = "A text over several lines starts with <<END, and nothing behind it"
        return rule, "write <<END without blanks, quotes or a comment"
    rule = "A text over several lines starts with <<END and ends with END on its own line"
    if body.rpartition("\n")[2].strip() == mark:
        return f"{rule}, and that line ends too", "end the file with a new line"
    return rule, "add the closing line"


def text_in_digits(text: str, start: int) -> Hint | None:
    """Return what to say of a word that begins as a number; None where it is one."""
    found = _TEXT_LIKE.match(text, start)
    if not found or NUMBER.fullmatch(found[0]):
        return None
    rule = "A number is followed by something else"
    return rule, "write the number alone, or put text between double quotes"


_UNQUOTED: Final = ("Text stands without quotes", "put it between double quotes")


def _for_word(word: str, follows: str) -> Hint:
    low = word.lower()
    if low in _KEYWORDS:
        return "true, false and null are written in small letters", f"write {low}"
    if low in _OTHER_LANGUAGES:
        return f"HCL has no {low}", f"write {_OTHER_LANGUAGES[low]}"
    if follows == "(" or word == "for":
        return LITERALS, RESULT
    if follows and follows in ".[" and (word in _REFERENCES or word.startswith("aws_")):
        return LITERALS, "write the value itself"
    return _UNQUOTED


def _odd(mark: str) -> Hint | None:
    if mark not in _ODD_SPACES:
        return None
    name = f"{_ODD_SPACES[mark]} (U+{ord(mark):04X})"
    return f"Invisible character: {name}", "replace it with a plain space"
