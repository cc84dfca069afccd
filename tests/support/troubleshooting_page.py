"""docs/troubleshooting.md, written from the same data as `biomodal-aws diagnose` by `make docs`."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

from biomodal_deploy.known_errors import PLACEHOLDER, Entry
from biomodal_deploy.known_errors.catalog import AREAS, Match, catalog, load
from tests.support.project import ROOT

PAGE: Final = Path("docs") / "troubleshooting.md"
_LONGEST: Final = 90

_HEAD: Final = (ROOT / "tests/data/pages/troubleshooting.md").read_text(encoding="utf-8")


def page() -> str:
    """Return the whole page."""
    steps = [_row(each["problem"], each["says"], each["here"]) for each in load("document")["step"]]
    parts = [_HEAD.format(steps="\n".join(steps))]
    for area, title in AREAS.items():
        parts += [f"## {title}", "", "| you see | cause | fix |", "|---|---|---|"]
        entries = (entry for entry in catalog().entries if entry.area == area)
        parts += [*map(_entry, entries), ""]
    return "\n".join(parts)


def _entry(entry: Entry) -> str:
    match = Match(entry)  # with nothing filled in: a sentence with a gap is left out
    fix = f"{match.fix()[:1].upper()}{match.fix()[1:]}."
    if f"`{entry.next}`" not in fix:
        fix += f" Next: `{entry.next}`"
    return _row(f"`{_symptom(entry)}`", f"**{entry.title}.** {match.cause()}", fix)


def _row(*cells: str) -> str:
    return f"| {' | '.join(map(_prose, cells))} |"


def _symptom(entry: Entry) -> str:
    """Return the part of its example that an entry is recognized by."""
    line = " ".join(entry.example.split()).replace("`", "'")
    starts = [
        found.start()
        for pattern in entry.match
        if (found := re.search(pattern.replace("`", "'"), line, re.IGNORECASE))
    ]
    start = line.rfind(" ", 0, min(starts, default=0) + 1) + 1
    return line[start : start + _LONGEST].strip()


def _prose(text: str) -> str:
    """Return a text as a cell of a table: what stands between backticks stays as it is."""
    text = PLACEHOLDER.sub(lambda found: found[1].upper(), text).replace("|", "\\|")
    parts = text.split("`")
    parts[::2] = [re.sub(r"(?<!\*)([_<])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


def main() -> int:
    """Write the page into the current folder's docs."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
