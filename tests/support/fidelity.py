"""`docs/fidelity.md` from tests/data/fidelity.toml: `python -m tests.support.fidelity`."""

from __future__ import annotations

import os
import sys
import tomllib
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from tests.support.project import ROOT

PAGE: Final = ROOT / "docs" / "fidelity.md"
_HEAD: Final = """\
# What the document promises, and where it is kept

Written from `tests/data/fidelity.toml` by `make docs`; a test looks for each place and each test.

| section of the document | it promises | kept in | tested by |
|---|---|---|---|
"""


class Promise(BaseModel):
    """A sentence of the document that promises something, in our words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    section: str = Field(min_length=1)  # where it stands
    says: str = Field(min_length=1)  # what it promises
    where: str = Field(min_length=1)  # the file that keeps it, and a text in that file
    test: str = Field(min_length=1)  # the test file that holds it, and a test in it


class Trouble(BaseModel):
    """A symptom of the document's section "Troubleshooting", in our words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    symptom: str = Field(min_length=1)  # what goes wrong
    # the commands and checks that the document has for it
    says: tuple[str, ...] = Field(min_length=1)


def promises() -> list[Promise]:
    """Read all promises."""
    return [Promise.model_validate(each) for each in _data("promise")]


def troubles() -> list[Trouble]:
    """Read the section "Troubleshooting"."""
    return [Trouble.model_validate(each) for each in _data("trouble")]


def _data(name: str) -> list[Any]:
    path = ROOT / "tests" / "data" / "fidelity.toml"
    found: list[Any] = tomllib.loads(path.read_text(encoding="utf-8"))[name]
    return found


def page() -> str:
    """Return the whole page."""
    rows = (
        f"| {each.section} | {each.says} | {_link(each.where)} | {_link(each.test)} |"
        for each in promises()
    )
    return _HEAD + "\n".join(rows) + "\n"


def _link(place: str) -> str:
    path, _, name = place.partition("::")
    target = os.path.relpath(ROOT / path, PAGE.parent)
    return f"[{name or path.rpartition('/')[2]}]({target})"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.exit()
