"""Which stacks are meant, where several may be: names, patterns, or all."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

from biomodal_deploy.errors import UsageError
from biomodal_deploy.workflow.location import choose

_MARKS: Final = frozenset("*?[")


def is_set(stacks: Sequence[str], *, every: bool) -> bool:
    """Say whether a set is meant: all, several names, or a pattern, whatever it will match."""
    words = _words(stacks)
    return every or len(words) > 1 or any(_MARKS & set(word) for word in words)


def choose_several(stacks: Sequence[str], names: Sequence[str], *, every: bool) -> list[str]:
    """Return the stacks that are meant, each once, in their own order.

    Args:
        stacks: What `--stack` said: names and patterns, also with commas between them.
        names: The stacks that there are.
        every: Whether `--all` said so.

    Raises:
        UsageError: A name or pattern fits none, or names and `--all` are both given.
    """
    words = _words(stacks)
    if every:
        if words:
            raise UsageError("cannot be used with --stack", field="--all", fix="use one of the two")
        words = ["*"]
    chosen: set[str] = set()
    for word in words:
        chosen |= _matching(word, names) if _MARKS & set(word) else {choose(word, list(names))}
    return [name for name in names if name in chosen]


def _words(stacks: Sequence[str]) -> list[str]:
    return [word.strip() for given in stacks for word in given.split(",") if word.strip()]


def _matching(pattern: str, names: Sequence[str]) -> set[str]:
    # Names are lower-case: fnmatch itself would not tell them apart on some systems.
    found = {name for name in names if fnmatchcase(name, pattern)}
    if not found:
        raise UsageError(
            "no stack matches",
            field="--stack",
            value=pattern,
            fix=f"the stacks are {', '.join(names)}" if names else "add one to cdktf.json",
        )
    return found
