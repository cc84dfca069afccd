"""All known errors, read once from data files, and how an error's text finds its entries."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Final

from pydantic import ValidationError

from biomodal_deploy.known_errors import PLACEHOLDER, Breadth, Entry, compiled

AREAS: Final[Mapping[str, str]] = {
    "terraform": "Terraform and its plans",
    "synthesis": "The app: Python, Node and cdktf",
    "state": "State, backend and lock",
    "credentials": "Credentials, sign-in and network",
    "iam": "Permissions and keys",
    "ec2": "The VM, its disks, its network and quotas",
    "batch": "AWS Batch: environments, hosts and tasks",
    "nextflow": "Nextflow",
    "s3": "The bucket",
    "ecr": "The image repository",
    "install": "The install script, apt and Docker",
    "ssh": "SSH and Session Manager",
}
"""The data files and what they are about, in the order in which the page has them."""
UNLOCK: Final = "unlock"
"""The name of the command that releases a lock: whole, and so never quoted as one word."""
HERE: Final = "this machine"
# A command inside a sentence.
_COMMAND: Final = re.compile(r"(`[^`]*`)")
_TWO_STOPS: Final = re.compile(r"(?<!\.)\.\.$")
_SENTENCE: Final = re.compile(r"(?<=[.}]) (?=[A-Z{`])")
# An option of a command that can be left out: the command line has a default.
_OPTION: Final = re.compile(r" --region \{region\}")
_LONGEST: Final = 160
# In a command it has to be whole: AWS's encoded messages have some thousand letters.
_WHOLE: Final = 6_000
_MOST_RIVALS: Final = 2

Context = Mapping[str, str]


class CatalogError(Exception):
    """A data file is wrong: a fault of ours."""


@dataclass(frozen=True)
class Catalog:
    """All known errors.

    Attributes:
        entries: In the order of the files.
    """

    entries: tuple[Entry, ...]

    @cached_property
    def marks(self) -> tuple[str, ...]:
        """Every literal text that one of them needs, in small letters."""
        return tuple(dict.fromkeys(mark for entry in self.entries for mark in entry.marks))

    @cached_property
    def places_of_marks(self) -> tuple[tuple[str, int], ...]:
        """Each such text, with the place of an entry that needs it."""
        return tuple((mark, at) for at, entry in enumerate(self.entries) for mark in entry.marks)

    @property
    def codes(self) -> tuple[str, ...]:
        """The words for programs that a failed run of Terraform can have."""
        return tuple(sorted({entry.code for entry in self.entries if entry.code}))


@cache
def catalog() -> Catalog:
    """Return the catalog that ships with this package.

    Raises:
        CatalogError: A file is wrong, or two entries have one name.
    """
    found = tuple(entry for area in AREAS for entry in _read(area))
    names = [entry.id for entry in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise CatalogError(f"described twice: {', '.join(sorted(twice))}")
    return Catalog(found)


@cache
def places() -> Mapping[str, tuple[str, re.Pattern[str]]]:
    """Return where an error can be printed: the name for people, and what shows it."""
    return {
        name: (body["name"], re.compile("|".join(body["signs"]), re.IGNORECASE))
        for name, body in load("places").items()
    }


def load(name: str) -> dict[str, Any]:
    """Return a data file of this package."""
    file = files("biomodal_deploy.known_errors") / "data" / f"{name}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _read(area: str) -> list[Entry]:
    try:
        return [Entry(id=name, area=area, **body) for name, body in load(area).items()]
    except ValidationError as error:
        raise CatalogError(f"{area}.toml: {error}") from error


@dataclass(frozen=True)
class Match:
    """A named cause.

    Attributes:
        fields: What was read from the error's text.
        place: The machine that printed it, for people.
        rivals: Other causes that fit as well, at most two.
    """

    entry: Entry
    fields: Mapping[str, str] = field(default_factory=dict)
    place: str = HERE
    rivals: tuple[Match, ...] = ()

    @property
    def named(self) -> bool:
        """Whether a cause is named, and no code or message repeated."""
        return self.entry.breadth < Breadth.CODE

    def cause(self, context: Context | None = None) -> str:
        """Return the cause in words, as far as the error tells it.

        Args:
            context: What is known besides the text: `stack`, `directory`, `region`.
        """
        return " ".join(self._filled(_SENTENCE.split(self.entry.cause), context))

    def fix(self, context: Context | None = None) -> str:
        """Return what to do, as far as the error tells it; `context` as above."""
        return "; ".join(self._filled(self.entry.fix.split("; "), context))

    def next(self, context: Context | None = None) -> str:
        """Return the next command, quoted for a shell; nothing where a part of it is unknown."""
        known = self._known(context)
        command = self.entry.next if "region" in known else _OPTION.sub("", self.entry.next)
        return _fill(command, known, command=True) or ""

    def _known(self, context: Context | None) -> Context:
        known = {"place": self.place, **{k: v for k, v in (context or {}).items() if v}}
        known |= self.fields
        if "id" in self.fields and UNLOCK not in (context or {}):
            known[UNLOCK] = f"terraform force-unlock {shlex.quote(self.fields['id'])}"
        return known

    def _filled(self, parts: list[str], context: Context | None) -> list[str]:
        known = self._known(context)
        return [text for part in parts if (text := _sentence(part, known)) is not None]


def name_cause(text: str, place: str = "") -> Match | None:
    """Return what is known of an error; None where nothing is.

    Args:
        place: Where it was printed, where that is known: `vm`, `host`, `ci`.
    """
    found = matches_of(text, place)
    if not found:
        return None
    best, *others = found
    rivals = [each for each in others if _width(each.entry) == _width(best.entry)]
    return Match(best.entry, best.fields, best.place, tuple(rivals[:_MOST_RIVALS]))


def matches_of(text: str, place: str = "") -> list[Match]:
    """Return every entry that an error matches, the most specific first.

    A cause stands before a family of failures, that before a bare code, and that before what is
    only general; of two, the one with more conditions, then the one that covers more of the text,
    then the earlier one.
    """
    line = " ".join(text.split())
    small = line.lower()
    place = place_of(line) or place
    name = places()[place][0] if place else HERE
    entries = catalog().entries
    likely = {at for mark, at in catalog().places_of_marks if mark in small}
    found = [
        (entry, covered)
        for entry in (entries[at] for at in sorted(likely))
        if (covered := entry.span(line, place))
    ]
    found.sort(key=lambda each: (*_width(each[0]), -each[1]))
    return [Match(entry, _fields(entry, line), name) for entry, _ in found]


def place_of(line: str) -> str:
    """Return where a line was printed; an empty text for the reader's own machine."""
    return next((name for name, (_, signs) in places().items() if signs.search(line)), "")


def _width(entry: Entry) -> tuple[Breadth, int]:
    return entry.breadth, -entry.conditions


def _fields(entry: Entry, line: str) -> dict[str, str]:
    fields = {}
    for name, patterns in entry.fields.items():
        for pattern in patterns:
            if found := compiled(pattern).search(line):
                shown = (mark if mark.isprintable() else " " for mark in found[1][:_WHOLE])
                fields[name] = "".join(shown).strip()
                break
    return fields


def _sentence(template: str, known: Context) -> str | None:
    parts = [_fill(part, known, command=part.startswith("`")) for part in _COMMAND.split(template)]
    # What was quoted may end with the full stop that the sentence has itself.
    return None if None in parts else _TWO_STOPS.sub(".", "".join(filter(None, parts)))


def _fill(template: str, known: Context, *, command: bool) -> str | None:
    """Return a template with its placeholders filled; None where one cannot be."""

    def value(found: re.Match[str]) -> str:
        text = known[found[1]]
        if found[1] == UNLOCK:
            return text
        # The text comes from a log: it must not become another command in somebody's shell,
        # nor look like one.
        short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
        return shlex.quote(text) if command else short.replace("`", "'")

    if not set(PLACEHOLDER.findall(template)) <= set(known):
        return None
    return PLACEHOLDER.sub(value, template)
