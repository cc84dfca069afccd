"""What a search for a tool found, and how versions compare."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Source = Literal["setting", "path", "embedded", "environment", "missing"]

_NUMBERS = re.compile(r"\bv?(\d+)\.(\d+)(?:\.(\d+))?")


@dataclass(frozen=True)
class Tool:
    """A program or package that was chosen, and why.

    Attributes:
        name: What it is called in messages.
        path: The executable or package folder; None where there is none.
        version: Its version, or None where it could not be had.
        source: Where the choice came from.
        reason: One phrase for people: why this one, or what is wrong with it.
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
