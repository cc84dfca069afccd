"""What can go wrong, in three families, each with its exit status.

Usage: the person can fix it (settings, variables, arguments). Engine: Terraform or the app
command failed. Refusal: a guard or a sealed plan said no. Anything else that escapes is a bug of
ours, and only a bug of ours shows a traceback.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

EXIT_DONE: Final = 0
EXIT_ENGINE: Final = 1
EXIT_FINDINGS: Final = 2
EXIT_GUARD: Final = 3
EXIT_SEALED_PLAN: Final = 4
EXIT_USAGE: Final = 64
EXIT_BUG: Final = 70
EXIT_INTERRUPTED: Final = 130


class BiomodalError(Exception):
    """An expected failure: its text is the one line that the user reads.

    Attributes:
        exit_status: The process's exit status where this error ends it.
        code: A stable word for `--output json`.
    """

    exit_status: int = EXIT_BUG
    code: str = "error"


class UsageError(BiomodalError):
    """Wrong settings, variables or arguments: nothing was written.

    Args:
        rule: What must hold, as a sentence without its full stop.
        field: The setting, variable or argument at fault.
        value: Its value; left out of the line where None, so never pass a secret.
        fix: What to do, as a sentence without its full stop; a question keeps its mark.
    """

    exit_status = EXIT_USAGE
    code = "usage"

    def __init__(
        self, rule: str, *, field: str | None = None, value: object = None, fix: str | None = None
    ) -> None:
        self.rule, self.field, self.value, self.fix = rule, field, value, fix
        subject = "" if field is None else field if value is None else f"{field} = {_shown(value)}"
        line = f"{subject}: {rule}" if subject else rule
        advice = f" Fix: {fix}{'' if fix.endswith('?') else '.'}" if fix else ""
        super().__init__(_on_one_line(f"{line}.{advice}"))


class UsageErrors(UsageError):
    """Several faults at once, each a line of its own."""

    def __init__(self, faults: Sequence[UsageError]) -> None:
        self.faults: tuple[UsageError, ...] = tuple(faults)
        first = faults[0]
        self.rule, self.fix = first.rule, first.fix
        self.field, self.value = first.field, first.value
        BiomodalError.__init__(self, "\n".join(map(str, faults)))


class Faults:
    """Collects what is wrong, so that a person reads all of it at once."""

    def __init__(self) -> None:
        self.found: list[UsageError] = []

    @contextmanager
    def collect(self) -> Iterator[None]:
        """Keep what is raised inside, and go on behind it."""
        try:
            yield
        except UsageError as error:
            self.add(error)

    def add(self, error: UsageError) -> None:
        """Keep a fault, or each fault of several."""
        self.found += error.faults if isinstance(error, UsageErrors) else [error]

    def raise_any(self) -> None:
        """Raise what was found."""
        if len(self.found) == 1:
            raise self.found[0]
        if self.found:
            raise UsageErrors(self.found)


class EngineError(BiomodalError):
    """Terraform or the app command failed.

    Args:
        log: The file that holds everything the engine printed.
        advice: The next command or setting to try.
    """

    exit_status = EXIT_ENGINE
    code = "engine"

    def __init__(
        self,
        message: str,
        *,
        log: Path | None = None,
        returncode: int | None = None,
        advice: str | None = None,
    ) -> None:
        self.message, self.log, self.returncode, self.advice = message, log, returncode, advice
        parts = [message.rstrip(".") + "."]
        if advice:
            parts.append(f"Next: {advice.rstrip('.')}.")
        if log:
            parts.append(f"Log: {log}")
        super().__init__(" ".join(parts))


class GuardRefused(BiomodalError):
    """A guard on the plan said no: nothing was applied."""

    exit_status = EXIT_GUARD
    code = "guard_refused"


class SealedPlanRefused(BiomodalError):
    """A sealed plan does not match, or is stale, used or expired: nothing was applied.

    Args:
        reason: A stable word for the difference (`expired`, `used`, `edited_plan`, ...).
    """

    exit_status = EXIT_SEALED_PLAN
    code = "sealed_plan_refused"

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(message)


class Interrupted(BiomodalError):
    """The user or the system asked to stop, and the engine stopped.

    Args:
        data: What was done before, as data for programs.
    """

    exit_status = EXIT_INTERRUPTED
    code = "interrupted"

    def __init__(self, message: str = "", *, data: object = None) -> None:
        self.data = data
        super().__init__(message)


def _shown(value: object) -> str:
    text = f'"{value}"' if isinstance(value, str) else repr(value)
    return text if len(text) <= 120 else text[:117] + "..."


def _on_one_line(text: str) -> str:
    """Escape what breaks a line or steers a terminal; settings files may hold anything."""
    return "".join(
        mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text
    )
