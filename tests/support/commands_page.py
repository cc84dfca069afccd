"""`docs/commands.md` and the table for completion, written from the commands by `make docs`."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Final, Literal, get_args, get_origin

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from biomodal_deploy.cli.app import COMMANDS, command_line
from biomodal_deploy.cli.completion import PLANS, STACKS, TABLE

PAGE: Final = Path("docs") / "commands.md"
_INTRODUCTION: Final = """\
# Commands

Written from the code by `make docs`; a test fails where it is out of date.

Every command takes `--output json`: then standard output holds one JSON object with `exit_status`,
`data` and `error`, also where the command fails. Progress and notices go to standard error. Colour
is used on a terminal only, and never where `NO_COLOR` is set. Exit statuses are a contract:
[exit-codes.md](exit-codes.md).

`biomodal-aws --install-completion` completes commands, options, stacks and plans in bash, zsh and
fish; it writes a script to `~/.local/share/biomodal-aws`, and the line that reads it to `~/.bashrc`
or `~/.zshrc` (fish: one file in `~/.config/fish/completions`). `--show-completion` prints it.
"""


def page() -> str:
    """Return the whole page."""
    return _INTRODUCTION + "".join(_section(*each) for each in every_command().items())


@cache
def every_command() -> Mapping[str, TyperCommand]:
    """Return each command that does something, by all words of its name."""
    return dict(_below(command_line(COMMANDS), ()))


def _below(command: object, words: tuple[str, ...]) -> Iterator[tuple[str, TyperCommand]]:
    if isinstance(command, TyperGroup):
        for word, each in command.commands.items():
            yield from _below(each, (*words, word))
    elif isinstance(command, TyperCommand):
        yield " ".join(words), command


def _section(name: str, command: TyperCommand) -> str:
    body, _, example = inspect.cleandoc(command.help or "").partition("Example: ")
    lines = [f"\n## biomodal-aws {name}\n", body.strip()]
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
        names_ = [parameter.envvar] if isinstance(parameter.envvar, str) else parameter.envvar
        text += f" Environment: {', '.join(f'`{each}`' for each in names_)}."
    return f"| {', '.join(f'`{each}`' for each in names)} | {text} |"


def table() -> str:
    """Return what completion knows of the commands (`completion.json`)."""
    commands = {
        name: {
            "help": inspect.cleandoc(command.help or "").partition("\n")[0],
            "options": {
                name: None if each.is_flag else _values(each)
                for each in command.params
                if isinstance(each, TyperOption) and not each.hidden
                for name in each.opts
            },
            "argument": [
                value
                for each in command.params
                if isinstance(each, TyperArgument)
                for value in _values(each)
            ],
            "many": any(each.nargs == -1 for each in command.params),
        }
        for name, command in every_command().items()
    }
    return json.dumps({"names": COMMANDS, "commands": commands}, indent=1) + "\n"


def _values(parameter: TyperArgument | TyperOption) -> list[str]:
    """Return the words that a parameter takes, or what stands for a project's own."""
    kind = parameter.type_descriptor.annotation
    for each in (kind, *get_args(kind)):
        if get_origin(each) is Literal:
            return list(get_args(each))
        if isinstance(each, type) and issubclass(each, Enum):
            return [str(value.value) for value in each]
    metavar = (parameter.metavar or "").removesuffix("...")
    return {"STACK": [STACKS], "PLAN": [PLANS]}.get(metavar, [])


def main() -> int:
    """Write the page into the current folder's docs, and the table beside this module."""
    PAGE.write_text(page(), encoding="utf-8")
    TABLE.write_text(table(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
