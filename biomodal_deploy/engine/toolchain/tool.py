"""What a search for a tool found, and how versions compare."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Source = Literal["setting", "path", "embedded", "environment", "missing"]

_NUMBERS = re.compile(r"\bv?(\d+)\.(\d+)(?:\.(\d+))?")


@dataclass(frozen=True)
class Tool:
    """A program or package that was chosen, and why.

    Attributes:
        path: The executable or package folder; None where there is none.
        version: Its version, or None where it could not be had.
    """

    name: str
    path: Path | None
    version: str | None
    source: Source
    reason: str

    @property
    def ok(self) -> bool:
        """Whether the tool can be used."""
        return self.source != "missing"


def numbers(text: str) -> tuple[int, int, int] | None:
    """Return the first version number in a text: `v24.1.0` is (24, 1, 0)."""
    found = _NUMBERS.search(text)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def program(value: str, search: str) -> Path | None:
    """Return the executable that a setting names: a path, or a name on the search path."""
    named = str(Path(value).expanduser().absolute()) if "/" in value else value
    found = shutil.which(named, path=search)
    return Path(found).absolute() if found else None


_Version = tuple[int, int, int]
_PART: Final = re.compile(r"\s*(=|!=|>=|<=|>|<|~>)?\s*v?(\d+(?:\.\d+){0,2})\s*")
_COMPARE: Final[dict[str, Callable[[_Version, _Version], bool]]] = {
    "=": lambda version, bound: version == bound,
    "!=": lambda version, bound: version != bound,
    ">=": lambda version, bound: version >= bound,
    "<=": lambda version, bound: version <= bound,
    ">": lambda version, bound: version > bound,
    "<": lambda version, bound: version < bound,
}


def satisfies(version: str, constraint: str) -> bool:
    """Return whether a released version meets a constraint such as `~> 5.100, != 5.101.0`.

    What this does not understand counts as not met: the registry then answers.
    """
    known = numbers(version)
    # Terraform takes a pre-release only where a constraint names exactly that one.
    if known is None or "-" in version:
        return version == constraint.strip().lstrip("= ")
    return all(_meets(known, part) for part in constraint.split(",") if part.strip())


def _meets(version: _Version, part: str) -> bool:
    found = _PART.fullmatch(part)
    if not found:
        return False
    given = [int(number) for number in found[2].split(".")]
    major, minor, patch = [*given, 0, 0][:3]
    bound = (major, minor, patch)
    if found[1] != "~>":
        return _COMPARE[found[1] or "="](version, bound)
    # Only the last number given may grow.
    fixed = max(len(given) - 1, 1)
    return version >= bound and version[:fixed] == bound[:fixed]
