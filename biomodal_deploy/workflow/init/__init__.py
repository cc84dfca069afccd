"""A new stack or project: its questions, the answers, and the files that they become."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Choice:
    """One answer that can be picked.

    Attributes:
        details: What tells it from the others.
    """

    value: str
    details: tuple[str, ...] = ()

    def matches(self, text: str) -> bool:
        """Say whether a text is part of it, in any case."""
        wanted = text.casefold()
        return any(wanted in each.casefold() for each in (self.value, *self.details))


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question.

    Attributes:
        name: What is asked for, as the setting or variable is called.
        default: The answer that Enter gives; None where one has to be given.
        choices: What can be picked; none where it can only be typed.
        closed: Whether nothing but a choice is an answer.
    """

    name: str
    text: str
    check: Callable[[str], str | None]
    default: str | None = None
    choices: Sequence[Choice] = field(default=())
    closed: bool = False

    def rule_broken_by(self, answer: str) -> str | None:
        """Return the rule that an answer breaks, or None."""
        if self.closed and answer not in {choice.value for choice in self.choices}:
            return f"must be one of {', '.join(choice.value for choice in self.choices)}."
        return self.check(answer)


class Asker(Protocol):
    """Who asks a person."""

    def ask(self, question: Question) -> str:
        """Return an answer that keeps the question's rules.

        Raises:
            Interrupted: Nobody answers any more.
        """

    def warn(self, line: str) -> None:
        """Print what matters for the questions to come."""

    def waiting(self, what: str) -> AbstractContextManager[object]:
        """Show what is waited for, for as long as a `with` block."""
