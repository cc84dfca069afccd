"""`docs/commands.md`, written from the commands themselves by `make docs`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from biomodal_deploy.cli.app import COMMANDS, command_line

PAGE: Final = Path("docs") / "commands.md"
_INTRODUCTION: Final = """\
# Commands

Written from the code by `make docs`; a test fails where it is out of date.

Every command takes `--output json`: then standard output holds one JSON object with `exit_status`,
`data` and `error`, also where the command fails. Progress and notices go to standard error. Colour
is used on a terminal only, and never where `NO_COLOR` is set. Exit statuses are a contract:
[exit-codes.md](exit-codes.md).
"""


def page() -> str:
    """Return the whole page."""
    sections = (
        _section(name, command)
        for name, command in _commands(command_line(COMMANDS), "biomodal-aws")
    )
    return _INTRODUCTION + "".join(sections)


def _commands(command: object, name: str) -> Iterator[tuple[str, TyperCommand]]:
    if isinstance(command, TyperGroup):
        for word, each in command.commands.items():
            yield from _commands(each, f"{name} {word}")
    elif isinstance(command, TyperCommand):
        yield name, command


def _section(name: str, command: TyperCommand) -> str:
    body, _, example = inspect.cleandoc(command.help or "").partition("Example: ")
    lines = [f"\n## {name}\n", body.strip()]
    if example:
        lines.append(f"\n```sh\n{example.strip()}\n```")
    rows = [
        _row(each)
        for each in command.params
        if isinstance(each, TyperArgument | TyperOption) and each.name != "help" and not each.hidden
    ]
    if rows:
        lines.append("\n| argument or option | what it does |\n|---|---|\n" + "\n".join(rows))
    return "\n".join(lines) + "\n"


def _row(parameter: TyperArgument | TyperOption) -> str:
    names = sorted(parameter.opts, key=len, reverse=True)
    if isinstance(parameter, TyperArgument):
        names = [parameter.metavar or names[0].upper()]
    text = " ".join((parameter.help or "").split()).replace("|", "\\|")
    if parameter.envvar:
        text += f" Environment: `{parameter.envvar}`."
    return f"| {', '.join(f'`{each}`' for each in names)} | {text} |"


def main() -> int:
    """Write the page into the current folder's docs."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
