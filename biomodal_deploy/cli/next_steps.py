"""A next step that is printed, completed so that it can be typed where it appeared."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import pairwise
from pathlib import Path
from typing import Final

from typer.core import TyperGroup

from biomodal_deploy.cli.app import command_line

_OPTIONS: Final = ("--project-dir", "--stack")
# Which bucket is meant, from one `backend` command to the next.
_BUCKET: Final = ("--bucket", "--region", "--kms-key-id")
_VAR_FILE: Final = "--var-file"
# A name with one of them means several stacks.
_SEVERAL: Final = frozenset(",*?[")
# The command, with the word behind it, and what follows of it in the sentence.
_STEP: Final = re.compile(
    r"\bbiomodal-aws (?P<name>[a-z-]+)(?P<inner> [a-z-]+)?(?=(?P<rest>[^`;,]*))"
)
_TYPED: Final[ContextVar[tuple[str, ...]]] = ContextVar("typed", default=())


@contextmanager
def typed(arguments: Sequence[str]) -> Iterator[None]:
    """Let what is printed meanwhile complete its steps by these words, as `completed` does."""
    token = _TYPED.set(tuple(arguments))
    try:
        yield
    finally:
        _TYPED.reset(token)


def steps_for(stack: str | None, files: Iterable[Path]) -> None:
    """Let the steps that are printed from here on be for a sealed plan, whatever was typed."""
    words = [f"{_VAR_FILE}={path}" for path in files]
    typed_words = _TYPED.get()
    if stack is not None and not _values("--stack", typed_words):
        words.append(f"--stack={stack}")
    # In front: behind `--` they would be another program's.
    _TYPED.set((*typed_words[:1], *words, *typed_words[1:]))


def completed(line: str) -> str:
    """Return a line whose commands name the project and stack of the one that runs."""
    return as_typed(line, _TYPED.get())


def as_typed(message: str, arguments: Sequence[str]) -> str:
    """Return a line whose commands name the project, stack and values of the one that printed it.

    Without them, the step that is printed fails in turn: from outside the project's folder, in a
    project of several stacks, and where required values stand in a file that was named. The values
    of --var are not repeated: one may be a secret.
    """
    if "--" in arguments:
        arguments = arguments[: list(arguments).index("--")]
    command = next((word for word in arguments if not word.startswith("-")), "")
    given = [(option, value) for option in _OPTIONS if (value := _value(option, arguments))]
    given += [(_VAR_FILE, value) for value in _values(_VAR_FILE, arguments)]
    bucket = [(option, value) for option in _BUCKET if (value := _value(option, arguments))]
    every = "--all" in arguments

    def named_so(step: re.Match[str]) -> str:
        inner, takes = _command(step["name"], (step["inner"] or "").strip())
        said = f"{'' if inner else step['inner'] or ''}{step['rest']}"
        same = step["name"] == command == "backend"
        added = [
            f" {option} {shlex.quote(value)}"
            for option, value in (*given, *(bucket if same else ()))
            if option in takes and not _says(said, option)
        ]
        if every and "--all" in takes and not _says(f"{said}{''.join(added)}", "--stack"):
            added.append(" --all")
        named = f"biomodal-aws {step['name']}{f' {inner}' if inner else ''}"
        return f"{named}{''.join(added)}{step[0].removeprefix(named)}"

    return _STEP.sub(named_so, message) if given or bucket or every else message


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
    found = _values(option, arguments)
    return found[0] if len(found) == 1 and not _SEVERAL & set(found[0]) else None


def _values(option: str, arguments: Sequence[str]) -> list[str]:
    return [
        value if word == option else word.partition("=")[2]
        for word, value in pairwise([*arguments, ""])
        if word == option or word.startswith(f"{option}=")
    ]
