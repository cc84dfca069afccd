"""Terraform's argument lists, built by python-terraform.

Of python-terraform 0.10.1 only the construction of an argument list is used. Its way of running
one cannot take a program of several words (the embedded Terraform), nor an environment other than
this process's own or none, and leaves Terraform running when we are stopped; so every list is run
by `engine.process`. Its other surprises are closed here: it reads a state file when it is
made (and fails on the empty one that Terraform leaves beside a lock), turns a dict of options into
a var-file in the shared temporary directory, and runs a misspelt method as a command.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Never, TypeAlias

import python_terraform

Option: TypeAlias = str | int | bool | Path | Sequence[str] | Sequence[Path] | None

FLAG: Final[bool] = python_terraform.IsFlagged
"""The value of an option that is given without one, such as `-json`."""


class _Builder(python_terraform.Terraform):  # type: ignore[misc]  # it is untyped
    def read_state_file(self, file_path: str | None = None) -> None:
        """Read nothing: an argument list needs no state."""

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Never:
            raise AttributeError(name)


_BUILDER: Final = _Builder()


def arguments(verb: str, *positional: str | Path, **options: Option) -> tuple[str, ...]:
    """Return a verb's arguments, without the program.

    Args:
        verb: Such as `plan` or `state pull`.
        positional: What follows the options.
        options: With underscores for dashes; a sequence repeats its option, None leaves it out.
    """
    plain = {
        name: list(map(str, value))
        if isinstance(value, Sequence) and not isinstance(value, str)
        else value
        for name, value in options.items()
    }
    # The first word is the program that python-terraform would start.
    return tuple(_BUILDER.generate_cmd_string(verb, *map(str, positional), **plain)[1:])
