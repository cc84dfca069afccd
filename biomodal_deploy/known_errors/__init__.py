"""The catalog of known errors as data, and how it is matched.

Here stands one known error, as the data files have it, and the literal text that a pattern needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import IntEnum
from functools import cache, cached_property
from heapq import heapify, heappop, heappush
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, Field

PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
Patterns = Annotated[
    tuple[str, ...], BeforeValidator(lambda value: value if isinstance(value, list) else [value])
]
_ENDS: Final = frozenset(".^$|*+?{")
_SHARED: Final = 6
_OPTIONAL: Final = frozenset("*?{")


class Breadth(IntEnum):
    """How much an entry's patterns say; the narrower one wins.

    A cause names what is wrong; a family only the kind of failure, such as an image that was not
    pulled; a code repeats what the service answered, and its text is a guess; a general one says
    only which program or service refused what.
    """

    CAUSE = 0
    FAMILY = 1
    CODE = 2
    GENERAL = 3


Widths = Annotated[
    Breadth, BeforeValidator(lambda word: Breadth[word.upper()] if isinstance(word, str) else word)
]


class Entry(BaseModel, frozen=True, extra="forbid"):
    """One known error.

    Templates name what was captured in braces: `{bucket}`. A sentence of the cause, or a clause of
    the fix, whose placeholder the error does not fill is left out.

    Attributes:
        id: A stable word.
        area: The file that it stands in.
        title: What is wrong, in a few words.
        match: Patterns over the error's text on one line, any of them, without regard to case.
        needs: Patterns that all have to match as well.
        unless: Patterns that make it another error.
        place: Where it has to be printed: `vm`, `host` (of Batch), `ci`; anywhere where None.
        breadth: How much the patterns say.
        echo: Causes that it only follows from: left out beside one of them; `*` for any.
        code: The coarser word for programs, where a failed run of Terraform has one.
        cause: Why it happens, as sentences; a template.
        fix: What to do, as clauses parted by semicolons; a template.
        next: The next command, which changes nothing that cannot be undone; a template.
        variables: Variables or settings at fault.
        statement: Whose policy lacks a statement: the deployer's, as the stack's own permissions
            have it, or the caller's, as the error has it.
        fields: Patterns with one group each, by the name of what they capture.
        source: Sections of the document, pages of the program concerned, its issues.
        example: The error as people meet it.
    """

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    area: str
    title: str = Field(max_length=80)
    match: Patterns
    needs: Patterns = ()
    unless: Patterns = ()
    place: Literal["vm", "host", "ci"] | None = None
    breadth: Widths = Breadth.CAUSE
    echo: Patterns = ()
    code: str | None = None
    cause: str
    fix: str
    next: str
    variables: tuple[str, ...] = ()
    statement: Literal["deployer", "caller"] | None = None
    fields: dict[str, Patterns] = Field(default_factory=dict)
    source: Patterns
    example: str

    def check_patterns(self) -> None:
        """Refuse patterns that could never be used; whoever names an error does not wait for it.

        Raises:
            ValueError: One has nothing literal in it, or one of a field not exactly one group.
            re.error: One is no regular expression.
        """
        for pattern in (*self.needs, *self.unless):
            re.compile(pattern)
        for pattern in self.match:
            re.compile(pattern)
            if len(mark_of(pattern)) < 4:
                raise ValueError(f"the pattern {pattern} has no literal text to look for")
        for pattern in self.field_patterns:
            if re.compile(pattern).groups != 1:
                raise ValueError(f"the pattern {pattern} of a field needs exactly one group")

    @cached_property
    def marks(self) -> tuple[str, ...]:
        """Literal texts in small letters, one of which stands in every error of this kind."""
        return tuple(dict.fromkeys(map(mark_of, self.match)))

    def span(self, line: str, place: str) -> int:
        """Return how many characters of an error this entry's pattern covers; 0 for no match."""
        if self.place not in (None, place):
            return 0
        found = self._pattern.search(line)
        if not found or (self._except and self._except.search(line)):
            return 0
        if not all(compiled(pattern).search(line) for pattern in self.needs):
            return 0
        return found.end() - found.start()

    @property
    def conditions(self) -> int:
        """How many things besides the pattern have to hold."""
        return len(self.needs) + (self.place is not None)

    @property
    def placeholders(self) -> set[str]:
        """The names that its templates use."""
        return set(PLACEHOLDER.findall(f"{self.cause} {self.fix} {self.next}"))

    @property
    def field_patterns(self) -> tuple[str, ...]:
        """All patterns of fields."""
        return tuple(pattern for each in self.fields.values() for pattern in each)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return _any(self.match)

    @cached_property
    def _except(self) -> re.Pattern[str] | None:
        return _any(self.unless) if self.unless else None


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern in any case: there are more of them than `re` itself keeps."""
    return re.compile(pattern, re.IGNORECASE)


def _any(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{each})" for each in patterns), re.IGNORECASE)


def mark_of(pattern: str) -> str:
    """Return the longest text in small letters that stands in everything a pattern matches.

    Groups and sets are passed over: they may hold alternatives.

    Raises:
        ValueError: It has alternatives outside groups.
    """
    runs = [""]
    depth = 0
    in_set = False
    position = 0
    while position < len(pattern):
        mark = pattern[position]
        escaped = mark == "\\"
        if escaped:
            position += 1
            mark = pattern[position : position + 1]
        position += 1
        if in_set:
            in_set = escaped or mark != "]"
        elif escaped and not mark.isalnum():
            _add(runs, mark, depth)
        elif escaped:
            runs.append("")  # a class such as \d
        elif mark == "[":
            in_set = True
            runs.append("")
        elif mark in "()":
            depth += 1 if mark == "(" else -1
            runs.append("")
        elif mark == "|" and not depth:
            raise ValueError(f"the pattern {pattern} has alternatives: write them one by one")
        elif mark in _ENDS:
            if mark in _OPTIONAL:
                runs[-1] = runs[-1][:-1]  # what stands before it may be missing
            if mark == "{":
                position = pattern.index("}", position) + 1
            runs.append("")
        else:
            _add(runs, mark, depth)
    return max(runs, key=len).lower()


def grouped(marks: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Give marks in groups that share a few letters: where those are not, none of them is.

    A large text is searched for a quarter as many texts that way.
    """
    left = dict.fromkeys(marks)
    holding: dict[str, list[str]] = {}
    for mark in left:
        for part in _parts(mark):
            holding.setdefault(part, []).append(mark)
    # Counts only fall: one that is out of date is put back with what it is now.
    heap = [(-len(found), part) for part, found in holding.items()]
    heapify(heap)
    while left:
        count, seed = heappop(heap)
        group = [mark for mark in holding[seed] if mark in left]
        if len(group) != -count:
            if group:
                heappush(heap, (-len(group), seed))
            continue
        yield seed, sorted(group)
        for mark in group:
            del left[mark]


def _parts(mark: str) -> set[str]:
    return {mark[start : start + _SHARED] for start in range(len(mark) - _SHARED + 1)} or {mark}


def _add(runs: list[str], mark: str, depth: int) -> None:
    if not depth:
        runs[-1] += mark
