"""Names from outside on a terminal: shown as they are, without steering anything."""

from __future__ import annotations

import pytest
from rich.table import Table
from rich.text import Text

from biomodal_deploy.cli.render import message_console, output_console, print_table
from tests.support.screens import printed

# Rich's markup, its names of emojis, and what would steer the terminal or forge a line.
HOSTILE = [
    "lab[/lab]",
    "[bold]lab",
    "[link=https://example.com]lab[/link]",
    "arn:key:lock:x",
    "`lab` | <script>evil()</script>",
]
STEERING = ["\x1b[31mlab", "\x1b]0;lab\x07", "a\rlab", "\u202elab", "\x9b31mlab", "\x08lab"]


@pytest.fixture(autouse=True)
def fresh() -> None:
    """Make the consoles for the streams of this test."""
    output_console.cache_clear()
    message_console.cache_clear()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_no_markup(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither in a line nor in a table is any of it taken for a style, a link or an emoji."""
    table = Table(box=None, show_header=False)
    table.add_row(name, "x")
    for console in (output_console(), message_console()):
        console.print(f"folder  {name}", style="quiet")
        console.print(table)
    printed = capsys.readouterr()
    for text in printed:
        assert text.count(name) == 2


@pytest.mark.parametrize("name", STEERING)
def test_a_name_steers_no_terminal(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a control character or a turned direction of writing a question mark is left."""
    table = Table(box=None)
    table.add_row(Text(name))
    for console in (output_console(), message_console()):
        for each in (f"folder  {name}", Text(name), table):
            console.print(each)
    for text in capsys.readouterr():
        assert "lab" in text
        assert not set(text) & {*"\x1b\x07\r\u202e\x9b\x08"}


PLAN = "20261130T010830Z-e1b755"
ROWS = [(Text("state-bucket-lab"), Text(PLAN), Text("20 to create, 7 outputs change"))]


def table_lines(width: int, folding: int = 1) -> list[str]:
    """Return the lines of a table at a width."""
    names = ("Stack", "Plan", "What it does")
    shown = printed(lambda console: print_table(console, names, ROWS, folding=folding), width)
    return shown.splitlines()


@pytest.mark.parametrize("width", [120, 80, 60, 40, 20])
def test_nothing_is_cut(width: int) -> None:
    """Neither a name nor a word of the rest."""
    text = "\n".join(table_lines(width))
    assert f"state-bucket-lab  {PLAN}" in text
    assert "\N{HORIZONTAL ELLIPSIS}" not in text
    assert all(word in text for word in ("20 to", "create", "outputs", "change"))


def test_where_there_is_room_it_is_a_table() -> None:
    """With its headings, and no line longer than the terminal."""
    lines = table_lines(60)
    assert lines[0].split() == ["Stack", "Plan", "What", "it", "does"]
    assert max(map(len, lines)) <= 60


def test_where_there_is_none_a_row_is_a_line() -> None:
    """The terminal wraps it, and what is copied from it has no line break."""
    assert table_lines(40) == [f"state-bucket-lab  {PLAN}  20 to create, 7 outputs change"]
    assert len(table_lines(30, folding=2)) == 1


@pytest.mark.parametrize("columns", ["0", "1", "-5", "wide", ""])
def test_no_width_hides_what_is_printed(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A COLUMNS that is no width of a screen, as some job runners set it, costs no value."""
    monkeypatch.setenv("COLUMNS", columns)
    print_table(output_console(), ["bucket_url"], [[Text("s3://lab")]])
    assert "s3://lab" in "".join(capsys.readouterr().out.split())
