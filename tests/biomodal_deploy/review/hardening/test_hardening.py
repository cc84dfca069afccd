"""The two profiles side by side: whole, consistent, and the same on screen, as data, as a page."""

from __future__ import annotations

import json
from typing import Any

import pytest

from biomodal_deploy.config.contract import variables_of
from biomodal_deploy.review.hardening import EXPLAINED, Difference
from tests.support.hardening_page import PAGE, page
from tests.support.project import ROOT


@pytest.mark.parametrize("difference", EXPLAINED.differences, ids=lambda each: each.id)
def test_each_is_argued(difference: Difference) -> None:
    """Both sides, a risk, a reason, a way back, what the module does, and where it shows."""
    for name, value in difference.model_dump().items():
        assert value or name == "variables", name


def test_every_variable_is_explained_and_exists() -> None:
    """What the profile adds is listed with the point that it sets, and named in its text."""
    documented = {each.name for each in variables_of("native")}
    added = {each.name for each in variables_of("native", "hardened")} - documented
    assert {name for each in EXPLAINED.differences for name in each.variables} == added
    for each in EXPLAINED.differences:
        for name in each.variables:
            assert name in f"{each.hardened} {each.back}", (each.id, name)


def test_the_page_is_up_to_date() -> None:
    """`make docs` was run after the last change; an id and a heading appear once in it."""
    assert (ROOT / PAGE).read_text(encoding="utf-8") == page()
    assert len({each.id for each in EXPLAINED.differences}) == len(EXPLAINED.differences)
    areas = [each.area for each in EXPLAINED.differences]
    assert sorted(areas, key=list(dict.fromkeys(areas)).index) == areas


def test_the_command_prints_the_same_as_data(capsys: pytest.CaptureFixture[str]) -> None:
    """Programs get every difference in the usual envelope."""
    from biomodal_deploy.cli.boundary import run

    assert run(["init", "--explain", "-o", "json"]) == 0
    printed: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert printed["exit_status"] == 0
    assert printed["data"]["differences"] == [
        each.model_dump(mode="json") for each in EXPLAINED.differences
    ]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_people_see_all_of_it(width: int) -> None:
    """A list, of which no text is cut or laid beside another, however narrow the window."""
    from io import StringIO

    from rich.console import Console

    from biomodal_deploy.cli.render.init import show_differences

    console = Console(file=StringIO(), width=width, theme=_theme())
    show_differences(console, EXPLAINED.differences)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, shown.splitlines())) <= width
    flat = " ".join(shown.split())
    for each in EXPLAINED.differences:
        texts = (each.title, each.documented, each.hardened, each.risk, each.reason, each.back)
        for text in texts:
            assert " ".join(text.split()) in flat


def _theme() -> Any:
    from rich.theme import Theme

    return Theme({"quiet": "dim"})
