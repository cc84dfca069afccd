"""One call of Terraform, long or short: run, logged, read and judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Never, Protocol, TypeAlias

import python_terraform

from biomodal_deploy.engine.process import (
    Captured,
    Ended,
    InterruptSent,
    Line,
    NotStarted,
    TooMuchOutput,
    capture,
    run,
)
from biomodal_deploy.engine.terraform.events import Diagnostic, Event, parse, plain
from biomodal_deploy.engine.terraform.failures import TerraformFailed, TerraformStopped
from biomodal_deploy.engine.terraform.locks import LockInfo
from biomodal_deploy.engine.terraform.results import ApplyRun
from biomodal_deploy.engine.terraform.runlog import ApplySummary, ErrorText, RunLog
from biomodal_deploy.errors import BiomodalError, EngineError

Option: TypeAlias = str | int | bool | Path | Sequence[str] | Sequence[Path] | None

FLAG: Final[bool] = python_terraform.IsFlagged
"""The value of an option that is given without one, such as `-json`."""


class _Builder(python_terraform.Terraform):  # type: ignore[misc]  # it is untyped
    """Builds argument lists: of python-terraform 0.10.1 nothing else is used.

    Its way of running one cannot take a program of several words (the embedded Terraform), nor an
    environment other than this process's own or none, and leaves Terraform running when we are
    stopped; so every list is run by `engine.process`. Its other surprises are closed here: it reads
    a state file when it is made (and fails on the empty one that Terraform leaves beside a lock),
    turns a dict of options into a var-file in the shared temporary directory, and runs a misspelt
    method as a command.
    """

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


OnEvent = Callable[[Event], None]


class StateAccess(Protocol):
    """Answers what a failed call needs to know of the state and its lock."""

    def lock(self) -> LockInfo | None:
        """Return who holds the lock now."""

    def lock_of(self, text: str) -> LockInfo | None:
        """Return the lock that an error is about."""

    def unlock_command(self, lock: LockInfo) -> str | None:
        """Return the shell command that removes a lock, if there is one."""

    def tainted(self) -> frozenset[str]:
        """Return the addresses of what was created, and is to be replaced."""


@dataclass(frozen=True)
class Caller:
    """Runs verbs in one place.

    Attributes:
        redact: Applied to each line before anything else sees it.
        state: Answers what a failure needs to know of the state.
    """

    argv_prefix: tuple[str, ...]
    product: str
    directory: Path
    environment: Mapping[str, str]
    redact: Callable[[str], str]
    state: StateAccess

    def long(
        self, verb: str, on_event: OnEvent, log: Path, *positional: Path, **options: Option
    ) -> ApplySummary:
        """Run a call that streams events and may be stopped in steps."""
        summary = ApplySummary()
        silent = False

        def notify(event: Event) -> None:
            nonlocal silent
            if not silent:
                silent = True  # and so it stays where the next line raises
                on_event(event)
                silent = False

        with RunLog(log, verb, self.redact) as run_log:

            def on_line(line: Line) -> None:
                event = summary.named(parse(run_log.line(line)))
                summary.note(event)
                notify(event)

            def on_wait(sent: InterruptSent) -> None:
                run_log.wait(sent)
                notify(sent)

            try:
                ended = run(
                    self._argv(verb, *positional, no_color=FLAG, **options),
                    directory=self.directory,
                    environment=self.environment,
                    on_line=on_line,
                    on_wait=on_wait,
                    lock=run_log.descriptor,
                )
            except NotStarted as error:
                raise EngineError(f"{error}", log=log, advice=error.fix) from error
            run_log.ended(ended)
        if ended.error:
            raise ended.error
        summary.interrupted = bool(ended.steps)
        applied = summary.apply_run() if verb == "apply" else None
        # An apply that had come to its end when the stop request came is done, and says so.
        if ended.steps and (ended.returncode or verb != "apply"):
            raise self._stopped(verb, ended, log, applied)
        if ended.returncode:
            raise self._failed(verb, summary.errors, ended.returncode, log, applied)
        return summary

    def short(self, verb: str, *positional: str | Path, **options: Option) -> bytes:
        """Run a call that only reads, and return what it printed."""
        captured = self.capture(verb, *positional, **options)
        if captured.returncode:
            raise self.failed(verb, captured)
        return captured.stdout

    def capture(self, verb: str, *positional: str | Path, **options: Option) -> Captured:
        """Run a call that only reads, and return how it ended."""
        try:
            captured = capture(
                self._argv(verb, *positional, **options),
                directory=self.directory,
                environment=self.environment,
            )
        except (NotStarted, TooMuchOutput) as error:
            advice = error.fix if isinstance(error, NotStarted) else None
            raise EngineError(f"{self.product} {verb}: {error}", advice=advice) from error
        if captured.steps:
            raise TerraformStopped(self.product, verb, captured.steps)
        return captured

    def failed(self, verb: str, captured: Captured) -> TerraformFailed:
        """Return the error of a short call, from what it printed."""
        text = ErrorText()
        for line in captured.stderr.decode("utf-8", "replace").splitlines():
            text.note(plain(self.redact(line)))
        errors = (text.diagnostic,) if text.diagnostic else ()
        return self._failed(verb, errors, captured.returncode)

    def _argv(self, verb: str, *positional: str | Path, **options: Option) -> tuple[str, ...]:
        return (*self.argv_prefix, *arguments(verb, *positional, **options))

    def _failed(
        self,
        verb: str,
        errors: Sequence[Diagnostic],
        returncode: int,
        log: Path | None = None,
        run: ApplyRun | None = None,
    ) -> TerraformFailed:
        details = (self.state.lock_of(f"{error.summary}\n{error.detail}") for error in errors)
        lock = next((found for found in details if found), None)
        if lock is None and returncode < 0:
            lock = self._lock_left()[0]  # something killed it
        return TerraformFailed(
            self.product,
            verb,
            errors,
            returncode=returncode,
            log=log,
            lock=lock,
            unlock=self.state.unlock_command(lock) if lock else None,
            run=run and self._with_tainted(run),
        )

    def _stopped(
        self, verb: str, ended: Ended, log: Path, run: ApplyRun | None
    ) -> TerraformStopped:
        lock, looked = (None, False) if verb == "init" else self._lock_left()
        return TerraformStopped(
            self.product,
            verb,
            ended.steps,
            log=log,
            lock=lock,
            unlock=self.state.unlock_command(lock) if lock else None,
            unlocked=looked and lock is None,
            run=run and self._with_tainted(run),
        )

    def _lock_left(self) -> tuple[LockInfo | None, bool]:
        try:
            return self.state.lock(), True
        except BiomodalError:
            return None, False  # no network, or stopped again: not the news to report now

    def _with_tainted(self, run: ApplyRun) -> ApplyRun:
        """Tell what was created before it failed from what was not; the state knows that alone."""
        if not run.failed:
            return run
        try:
            known = {self.redact(address) for address in self.state.tainted()}
        except BiomodalError:
            return run
        tainted = [each for each in run.failed if each.is_created and each.address in known]
        failed = [each for each in run.failed if each not in tainted]
        return replace(run, failed=tuple(failed), tainted=tuple(tainted))
