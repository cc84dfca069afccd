"""What people see: the only package that imports Rich.

Here stand the two consoles: results go to standard output, everything on the way to standard error.
"""

from __future__ import annotations

import errno
import io
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from typing import NamedTuple, NoReturn, TextIO, cast

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from biomodal_deploy.text import printable

_LEAST_FOLDED = 8
_NARROWEST = 20
_DEFAULT_WIDTH = 80
_WORD = re.compile(r"\S+\s*|\s+")
_THEME = Theme(
    {
        "create": "green",
        "update": "yellow",
        "replace": "bold red",
        "delete": "red",
        "forget": "magenta",
        "read": "cyan",
        "quiet": "dim",
        "good": "green",
        "bad": "bold red",
        "warning": "yellow",
    }
)


@cache
def output_console() -> Console:
    """Return the console for results."""
    return _console(stderr=False)


@cache
def message_console() -> Console:
    """Return the console for progress, notices and questions."""
    return _console(stderr=True)


class _Console(Console):
    def on_broken_pipe(self) -> NoReturn:
        """Leave it to the caller, who knows the command's status; Rich would end the process."""
        raise BrokenPipeError(errno.EPIPE, "nobody reads any more")

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """Render without anything that steers the terminal and is not Rich's own."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(printable(segment.text), segment.style)


class _Messages:
    """Standard error as it is now; what nobody can read there is lost.

    An apply goes on where its reader went away or the disk of its log is full: half an environment
    is worse than a line that is missing. The exit status says how it ended.
    """

    def write(self, text: str) -> int:
        with suppress(OSError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()

    def __getattr__(self, name: str) -> object:
        return getattr(sys.stderr, name)


class Line(NamedTuple):
    """A line to print, and how far its further lines are indented where it is wrapped."""

    text: Text
    hang: int = 0


def print_lines(console: Console, lines: Iterable[Line]) -> None:
    """Print lines, wrapped between words; no word is ever broken.

    An address, an id or a digest that is longer than the line stays whole, so that it can be
    copied. Where no terminal shows the lines, they are not wrapped at all.
    """
    width = None if console.soft_wrap else console.width
    wrapped = [part for line in lines for part in _wrapped(line, width)]
    if wrapped:
        # At once: line by line, Rich asks each time how wide the terminal is.
        console.print(Text("\n").join(wrapped), soft_wrap=True)


def _wrapped(line: Line, width: int | None) -> Iterator[Text]:
    text, hang = line
    if width is None or text.cell_len <= width:
        yield text
        return
    breaks, column, start = [], 0, 0
    for word in _WORD.finditer(text.plain):
        if column > start and column + cell_len(word[0].rstrip()) > width:
            breaks.append(word.start())
            column = start = hang
        column += cell_len(word[0])
    for number, part in enumerate(text.divide(breaks)):
        part.rstrip()
        yield Text(" " * hang if number else "").append(part)


def print_table(
    console: Console,
    headings: Sequence[str],
    rows: Sequence[Sequence[Text]],
    *,
    folding: int = 1,
) -> None:
    """Print a table that cuts nothing: an id of which the end is missing is good for no command.

    Where the columns do not fit, each row is a line, which the terminal wraps itself.
    """
    whole = len(headings) - folding
    table = Table(box=None, pad_edge=False)
    for number, heading in enumerate(headings):
        table.add_column(heading, no_wrap=number < whole, overflow="fold")
    for row in rows:
        table.add_row(*row)
    widths = [
        max(map(cell_len, (heading, *(row[number].plain for row in rows)))) + 2
        for number, heading in enumerate(headings[:whole])
    ]
    if sum(widths) + folding * _LEAST_FOLDED <= console.width:
        console.print(table)
        return
    for row in rows:
        console.print(Text("  ").join(cell for cell in row if cell), soft_wrap=True)


def as_text(show: Callable[[Console], None]) -> str:
    """Return what is printed on a console, for a file: neither wrapped nor coloured."""
    stream = io.StringIO()
    show(_Console(file=stream, theme=_THEME, highlight=False, color_system=None, soft_wrap=True))
    return stream.getvalue()


def print_exactly(text: str) -> None:
    """Print a file's text or a bare value: as UTF-8 bytes, whatever the console's encoding is.

    It is for a file or another program, and the same everywhere. A terminal gets it without what
    would steer it.
    """
    if sys.stdout.isatty():
        text = printable(text)
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()


def can_redraw(console: Console) -> bool:
    """Say whether lines may be drawn over: on a terminal that moves its cursor.

    FORCE_COLOR asks for colours in a pipe, and for no animation.
    """
    return console.file.isatty() and not console.is_dumb_terminal


def _width(*, terminal: bool) -> int | None:
    """Return how wide lines are; None for what the terminal says of itself."""
    columns = os.environ.get("COLUMNS", "")
    # Rich would take 0 at its word and print nothing.
    if columns.isdecimal() and int(columns):
        return max(int(columns), _NARROWEST)
    return 200 if not terminal else _DEFAULT_WIDTH if columns.isdigit() else None


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    terminal = stream.isatty()
    return _Console(
        stderr=stderr,
        file=cast("TextIO", _Messages()) if stderr else None,
        theme=_THEME,
        highlight=False,
        # A name or folder such as `[/lab]` or `:key:` is itself; what is styled is a Text.
        markup=False,
        emoji=False,
        # By itself Rich would keep bold and dim, which are escape codes too.
        color_system=None if os.environ.get("NO_COLOR") else "auto",
        width=_width(terminal=terminal),
        # Where no terminal cuts lines, none are cut: an address in a CI log stays whole.
        soft_wrap=not terminal,
    )
