"""A next step that is printed, completed so that it can be typed where it appeared."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import pairwise
from typing import Final

from typer.core import TyperGroup

from biomodal_deploy.cli.app import command_line

_OPTIONS: Final = ("--project-dir", "--stack")
# A name with one of them means several stacks.
_SEVERAL: Final = frozenset(",*?[")
# The command, with the word behind it, and what follows of it in the sentence.
_STEP: Final = re.compile(
    r"\bbiomodal-aws (?P<name>[a-z-]+)(?P<inner> [a-z-]+)?(?=(?P<rest>[^`;,]*))"
)
_TYPED: Final[ContextVar[Sequence[str]]] = ContextVar("typed", default=())


@contextmanager
def typed(arguments: Sequence[str]) -> Iterator[None]:
    """Let what is printed meanwhile complete its steps by these words, as `completed` does."""
    token = _TYPED.set(arguments)
    try:
        yield
    finally:
        _TYPED.reset(token)


def completed(line: str) -> str:
    """Return a line whose commands name the project and stack of the one that runs."""
    return as_typed(line, _TYPED.get())


def as_typed(message: str, arguments: Sequence[str]) -> str:
    """Return a line whose commands name the project and stack of the one that printed it.

    Without them, the step that is printed fails in turn: from outside the project's folder, and in
    a project of several stacks.
    """
    given = {option: value for option in _OPTIONS if (value := _value(option, arguments))}

    every = "--all" in arguments and "--" not in arguments

    def named_so(step: re.Match[str]) -> str:
        inner, takes = _command(step["name"], (step["inner"] or "").strip())
        said = f"{'' if inner else step['inner'] or ''}{step['rest']}"
        added = [
            f" {option} {shlex.quote(value)}"
            for option, value in given.items()
            if option in takes and not _says(said, option)
        ]
        if every and "--all" in takes and not (_says(said, "--stack") or "--stack" in given):
            added.append(" --all")
        named = f"biomodal-aws {step['name']}{f' {inner}' if inner else ''}"
        return f"{named}{''.join(added)}{step[0].removeprefix(named)}"

    return _STEP.sub(named_so, message) if given or every else message


def _command(name: str, inner: str) -> tuple[str, set[str]]:
    """Return which word behind a command's name belongs to it, and the options that it takes."""
    command = command_line([name]).commands.get(name)
    if isinstance(command, TyperGroup):
        command = command.commands.get(inner)
    else:
        inner = ""
    return inner, {each for param in command.params for each in param.opts} if command else set()


def _says(rest: str, option: str) -> bool:
    """Whether what follows a command says already what an option would."""
    return any(each in rest for each in (option, "--help")) or (
        option == "--stack" and "--all" in rest
    )


def _value(option: str, arguments: Sequence[str]) -> str | None:
    """Return what an option was given; None where it was not, or means several stacks."""
    if "--" in arguments:
        arguments = arguments[: list(arguments).index("--")]
    found = [value for word, value in pairwise(arguments) if word == option]
    found += [word.partition("=")[2] for word in arguments if word.startswith(f"{option}=")]
    return found[0] if len(found) == 1 and not _SEVERAL & set(found[0]) else None
