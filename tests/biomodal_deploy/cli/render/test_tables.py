"""Whatever the terminal's width, a name in a table can be copied whole."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from biomodal_deploy.cli.render.console import _THEME
from biomodal_deploy.cli.render.tables import print_table

PLAN = "20261130T010830Z-e1b755"
ROWS = [(Text("state-bucket-lab"), Text(PLAN), Text("20 to create, 7 outputs change"))]


def printed(width: int, folding: int = 1) -> list[str]:
    """Return the lines of a table at a width."""
    stream = io.StringIO()
    console = Console(file=stream, width=width, theme=_THEME)
    print_table(console, ("Stack", "Plan", "What it does"), ROWS, folding=folding)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("width", [120, 80, 60, 40, 20])
def test_nothing_is_cut(width: int) -> None:
    """Neither a name nor a word of the rest."""
    text = "\n".join(printed(width))
    assert f"state-bucket-lab  {PLAN}" in text
    assert "\N{HORIZONTAL ELLIPSIS}" not in text
    assert all(word in text for word in ("20 to", "create", "outputs", "change"))


def test_where_there_is_room_it_is_a_table() -> None:
    """With its headings, and no line longer than the terminal."""
    lines = printed(60)
    assert lines[0].split() == ["Stack", "Plan", "What", "it", "does"]
    assert max(map(len, lines)) <= 60


def test_where_there_is_none_a_row_is_a_line() -> None:
    """The terminal wraps it, and what is copied from it has no line break."""
    assert printed(40) == [f"state-bucket-lab  {PLAN}  20 to create, 7 outputs change"]
    assert len(printed(30, folding=2)) == 1
