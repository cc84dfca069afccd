"""The newest run of Terraform that failed, found by the logs that every run leaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from biomodal_deploy.engine.terraform import read_log
from biomodal_deploy.errors import UsageError
from biomodal_deploy.plan.history import Entry, Event, History
from biomodal_deploy.workflow.location import Location, choose

_LOGS: Final = "logs"


@dataclass(frozen=True, kw_only=True)
class FailedRun:
    """A run that did not end well.

    Attributes:
        stack: The stack.
        verb: What Terraform was asked to do, or what the history calls it.
        at: When it was last heard of.
        log: Its log; None where Terraform had not begun.
        message: What the history says of it.
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
        location: The project.
        stack: The stack; every one of the project where None.

    Raises:
        UsageError: There is none, or no such stack.
    """
    names = _names(location)
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


def _names(location: Location) -> list[str]:
    found = [path.name for path in location.plans.glob("*") if path.is_dir()]
    return sorted({*location.stacks, *(name for name in found if name[0] != ".")})


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
