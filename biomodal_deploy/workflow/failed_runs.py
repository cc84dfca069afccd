"""Runs that did not end well: the newest that failed, and an apply whose command died."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from biomodal_deploy.engine.terraform import LoggedRun, Touched, read_log
from biomodal_deploy.errors import UsageError
from biomodal_deploy.plan.history import Entry, Event, History, plans_in_order
from biomodal_deploy.plan.sealed import Use, UseState
from biomodal_deploy.plan.sealed.use import use_of
from biomodal_deploy.text import counted
from biomodal_deploy.workflow.location import Location, Notice, choose
from biomodal_deploy.workflow.stack import Stack

_LOGS: Final = "logs"


@dataclass(frozen=True, kw_only=True)
class FailedRun:
    """A run that did not end well.

    Attributes:
        log: Its log; None where Terraform had not begun.
        running: Whether Terraform is still at work.
        since: What went well after it, in the history's words.
    """

    stack: str
    verb: str
    at: datetime
    log: Path | None = None
    message: str = ""
    running: bool = False
    since: str = ""


def newest_failed(location: Location, stack: str | None) -> FailedRun:
    """Return the newest run that failed.

    Args:
        stack: The stack; every one of the project where None.

    Raises:
        UsageError: There is none, or no such stack.
    """
    folders = (path.name for path in location.plans.glob("[!.]*") if path.is_dir())
    names = sorted({*location.stacks, *folders})
    if stack is not None:
        names = [choose(stack, names)]
    runs = [run for name in names for run in _runs(location, name)]
    if runs:
        return max(runs, key=lambda run: run.at)
    raise UsageError(
        "No run failed here",
        field=str(location.plans / stack if stack else location.plans),
        fix="name a file with the error, or give it on standard input with -",
    )


def _runs(location: Location, name: str) -> Iterator[FailedRun]:
    folder = location.plans / name
    logs = [*folder.glob(f"*/{_LOGS}/*.log"), *folder.glob(f"{_LOGS}/*.log")]
    entries = History(location.plans, name).entries()
    # The newest is enough, and older ones may be large.
    for log in sorted(logs, key=lambda path: path.stat().st_mtime, reverse=True):
        if run := _failed(name, log):
            yield replace(run, since=_since(run, entries))
            break
    if last := _unlogged(entries):
        yield FailedRun(stack=name, verb=str(last.event), at=last.at, message=last.message)


def _failed(name: str, log: Path) -> FailedRun | None:
    logged = read_log(log)
    if logged is None or logged.status == 0:
        return None
    return FailedRun(
        stack=name,
        verb=logged.verb,
        at=datetime.fromtimestamp(log.stat().st_mtime, UTC),
        log=log,
        running=logged.running,
    )


def _since(run: FailedRun, entries: Iterable[Entry]) -> str:
    """Return what went well after a failed run; nothing where nothing did."""
    well = [
        entry
        for entry in entries
        if entry.at > run.at and (entry.event is Event.PLAN or entry.details.get("ok") is True)
    ]
    return f"{well[-1].event}: {well[-1].message}" if well else ""


def _unlogged(entries: Iterable[Entry]) -> Entry | None:
    """Return the last failure that the history has and no log: Terraform did not begin."""
    failures = [
        entry
        for entry in entries
        if entry.event in (Event.RESULT, Event.INTERRUPTED)
        and entry.details.get("ok") is not True
        and "Log: " not in entry.message
    ]
    return failures[-1] if failures else None


@dataclass(frozen=True)
class Unfinished:
    """The last apply of a stack, where it did not come to a good end, or to none yet.

    Attributes:
        use: Who began it, when, and how it ended where that is known.
        log: What is known of it; None where Terraform was not started.
    """

    name: str
    use: Use
    log: LoggedRun | None

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return self.use.state is UseState.RUNNING or bool(self.log and self.log.running)

    @property
    def made(self) -> tuple[Touched, ...]:
        """What it made, as far as is known."""
        return self.log.run.completed if self.log else ()


def unfinished_apply(stack: Stack) -> Unfinished | None:
    """Return the last apply of a stack, if its end is not known or has not come yet."""
    last = last_not_applied(stack)
    return last if last and last.use.state in (UseState.UNKNOWN, UseState.RUNNING) else None


def last_not_applied(stack: Stack) -> Unfinished | None:
    """Return the last apply of a stack, unless it went well: what it made may be in no state."""
    for path in plans_in_order(stack.location.plans, stack.name):
        use = use_of(path)
        if use.state is UseState.APPLIED:
            break
        if use.state is not UseState.UNUSED:
            return Unfinished(path.name, use, read_log(path / "logs" / "apply.log"))
    return None


def warn_unfinished(stack: Stack) -> None:
    """Say what is known of the last apply, where it was begun and never ended."""
    found = unfinished_apply(stack)
    if found:
        stack.on_event(Notice(f"The plan {found.name} was {found.use.sentence()}. {_known(found)}"))


def _known(found: Unfinished) -> str:
    if found.running:
        return "Terraform is still at work: wait until it has ended."
    if found.log is None:
        return "Terraform was not started. This plan takes up where it stopped."
    run = found.log.run
    done = [f"{counted(len(run.completed), 'change')} made"]
    done += [f"{each.address} was begun and its end is unknown" for each in run.in_progress]
    done += [f"{each.address} failed" for each in run.failed]
    done += [f"{each.address} was never begun" for each in run.not_begun]
    return f"{'; '.join(done)}. This plan starts from what is there: review it closely."
