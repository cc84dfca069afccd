"""Run a child process so that it is always drained, stopped in steps and reaped.

A Python wrapper that dies on SIGTERM leaves Terraform running with the state locked; one that
passes every Ctrl-C on makes Terraform give up in the middle. Here the child has a session of its
own, so that the terminal's signals reach only us, and each stop request takes one step of a
sequence: interrupt the child (it finishes what it began and lets the lock go), terminate it, kill
its group.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from biomodal_deploy.engine.process.lines import LONGEST_LINE, Line, LineSplitter, Stream
from biomodal_deploy.engine.process.supervisor import (
    FORWARD,
    GRACEFUL,
    KILL,
    Child,
    Ended,
    InterruptSent,
    NotStarted,
    Step,
    supervise,
)

__all__ = [
    "KILL",
    "LARGEST_ANSWER",
    "LARGEST_CAPTURE",
    "LONGEST_LINE",
    "Captured",
    "Ended",
    "InterruptSent",
    "Line",
    "NotStarted",
    "Step",
    "Stream",
    "TooMuchOutput",
    "capture",
    "collect",
    "run",
    "watchdog",
]

LARGEST_CAPTURE: Final = 1 << 30
LARGEST_ANSWER: Final = 1 << 26
_PARENT_DEATH: Final = str(Path(__file__).with_name("parent_death.py"))


@dataclass(frozen=True)
class Captured(Ended):
    """How a short call ended, with all that it printed."""

    stdout: bytes = b""
    stderr: bytes = b""


class TooMuchOutput(Exception):
    """A short call printed more than the limit; it was killed."""


def run(
    argv: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str],
    on_line: Callable[[Line], None],
    on_wait: Callable[[InterruptSent], None] = lambda _: None,
    lock: int | None = None,
) -> Ended:
    """Run a long call, line by line, until it ended and was reaped.

    The first exception of a callback interrupts the child too, and is in what is returned; until
    the child has ended, lines still go to `on_line`. Where a signal came first, exceptions are
    dropped: whoever closed a terminal cannot be printed to, and being stopped is the news.

    Args:
        environment: All of the child's environment.
        on_line: Called in this thread, in each pipe's order.
        on_wait: Called at each step to stop the child, and each second after it.
        lock: A descriptor of a file that is to be locked for as long as the child itself lives.

    Raises:
        NotStarted: The directory is missing. A missing program ends with status 127.
    """
    out, err = LineSplitter("stdout", on_line), LineSplitter("stderr", on_line)
    guard = watchdog() if lock is None else watchdog(lock)
    child = Child([*guard, *argv], directory, environment, () if lock is None else (lock,))
    ended = supervise(child, (out.feed, err.feed), GRACEFUL, on_wait)
    out.close()
    err.close()
    return ended


def collect(
    argv: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str],
    on_line: Callable[[Line], None],
    stop_pipe: int,
    limit: int = LARGEST_ANSWER,
) -> Captured:
    """Run a command of our own in any thread: its answer is kept, its errors come line by line.

    Args:
        on_line: Called in this thread with each line of standard error.
        stop_pipe: A pipe that has a byte for each stop request; each is handed on.
        limit: How many bytes of standard output are kept.

    Raises:
        TooMuchOutput: It printed more than `limit` bytes; it was asked to stop, and has ended.
    """
    out, err = bytearray(), LineSplitter("stderr", on_line)

    def feed(chunk: bytes) -> None:
        if len(out) + len(chunk) > limit:
            raise TooMuchOutput(f"more than {limit} bytes")
        out.extend(chunk)

    child = Child([*watchdog(), *argv], directory, environment)
    ended = supervise(child, (feed, err.feed), FORWARD, stop_pipe=stop_pipe)
    err.close()
    if ended.error:
        raise ended.error
    return Captured(ended.returncode, ended.steps, None, bytes(out))


def watchdog(lock: int = -1) -> list[str]:
    """Return what stands before a program that is told to stop when we are gone."""
    return [sys.executable, "-I", "-S", _PARENT_DEATH, str(os.getpid()), str(lock)]


def capture(
    argv: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str],
    limit: int = LARGEST_CAPTURE,
) -> Captured:
    """Run a short call that only reads, and return what it printed; a signal kills it at once.

    Raises:
        TooMuchOutput: It printed more than `limit` bytes.
    """
    out, err = bytearray(), bytearray()

    def feed(kept: bytearray, chunk: bytes) -> None:
        if len(kept) + len(chunk) > limit:
            raise TooMuchOutput(f"more than {limit} bytes")
        kept.extend(chunk)

    feeds = (lambda chunk: feed(out, chunk), lambda chunk: feed(err, chunk))
    ended = supervise(Child(argv, directory, environment), feeds, KILL)
    if ended.error:
        raise ended.error
    return Captured(ended.returncode, ended.steps, None, bytes(out), bytes(err))
