"""`docs/hardening.md`, from the data of `biomodal-aws init --explain`; `make docs` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from biomodal_deploy.config.contract import Variable, variables_of
from biomodal_deploy.review.hardening import CHECKED, EXPLAINED, Difference
from tests.support.project import ROOT

PAGE: Final = Path("docs") / "hardening.md"
_HEAD: Final = (ROOT / "tests/data/pages/hardening.md").read_text(encoding="utf-8")


def page() -> str:
    """Return the whole page."""
    head = _HEAD.format(
        documented_stack=CHECKED.documented_stack_failed,
        documented_plan=CHECKED.documented_plan_failed,
        hardened_waived=CHECKED.hardened_waived,
    )
    parts = [head, *_areas(), "\n## Variables\n", _variables()]
    return "\n".join(parts) + "\n"


def _areas() -> Iterator[str]:
    for area, differences in groupby(EXPLAINED.differences, key=lambda each: each.area):
        yield f"\n## {area}"
        yield from map(_section, differences)


def _section(difference: Difference) -> str:
    rows = {
        "documented": difference.documented,
        "hardened": difference.hardened,
        "risk": difference.risk,
        "reason": difference.reason,
        "way back": difference.back,
        "module": difference.module,
    }
    lines = [f"| {name} | {_cell(text)} |" for name, text in rows.items()]
    return f"\n### {difference.title}\n\n| | |\n|---|---|\n" + "\n".join(lines)


def _variables() -> str:
    of_module = {each.name for each in variables_of("module", "hardened")}
    documented = {each.name for each in variables_of("native")}
    rows = [
        f"| `{each.name}` | {each.type} | {_default(each)} | {_cell(each.description)} | "
        f"{'both' if each.name in of_module else 'native'} |"
        for each in variables_of("native", "hardened")
        if each.name not in documented
    ]
    head = "| variable | type | default | what it is | implementation |\n|---|---|---|---|---|\n"
    return head + "\n".join(rows)


def _default(variable: Variable) -> str:
    match variable.default:
        case bool() as value:
            return f"`{str(value).lower()}`"
        case tuple() as values:
            return "`[" + ", ".join(f'"{each}"' for each in values) + "]`"
        case "":
            return "empty"
        case value:
            return f"`{value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def main() -> int:
    """Write the page into the current folder's docs."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
