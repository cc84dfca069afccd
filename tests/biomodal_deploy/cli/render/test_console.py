"""Names from outside on a terminal: shown as they are, without steering anything."""

from __future__ import annotations

import pytest
from rich.table import Table

from biomodal_deploy.cli.render.console import message_console, output_console, print_exactly

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
    for console in (output_console(), message_console()):
        console.print(f"folder  {name}")
    for text in capsys.readouterr():
        assert "lab" in text
        assert not set(text) & {*"\x1b\x07\r\u202e\x9b\x08"}


def test_a_bare_value_is_exact(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """For a file or another program nothing is replaced."""
    print_exactly("\x1b[31m\u202elab\n")
    assert capfdbinary.readouterr().out == "\x1b[31m\u202elab\n".encode()
