"""Run a child process so that it is always drained, stopped in steps and reaped.

A Python wrapper that dies on SIGTERM leaves Terraform running with the state locked; one that
passes every Ctrl-C on makes Terraform give up in the middle. Here the child has a session of its
own, so that the terminal's signals reach only us, and each stop request takes one step of a
sequence: interrupt the child (it finishes what it began and lets the lock go), terminate it, kill
its group.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, Final, Literal, TypeAlias

from biomodal_deploy.engine.process.stop_requests import caught
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
    "python",
    "run",
    "run_in_foreground",
    "watchdog",
]

Stream: TypeAlias = Literal["stdout", "stderr"]

LONGEST_LINE: Final = 1 << 20
LARGEST_CAPTURE: Final = 1 << 30
LARGEST_ANSWER: Final = 1 << 26
_RUN: Final = "import sys; exec(open(sys.argv.pop(1), 'rb').read())"
_PARENT_DEATH: Final = str(Path(__file__).with_name("parent_death.py"))


@dataclass(frozen=True, slots=True)
class Line:
    """One line that a child printed.

    Attributes:
        text: Without its line end; undecodable bytes are replaced.
        left_out: How many bytes were dropped from the end of a line longer than the limit.
    """

    stream: Stream
    text: str
    left_out: int = 0


class LineSplitter:
    """Collects chunks and hands on whole lines."""

    def __init__(
        self, stream: Stream, on_line: Callable[[Line], None], longest: int = LONGEST_LINE
    ) -> None:
        self._stream, self._on_line, self._longest = stream, on_line, longest
        self._kept = bytearray()
        self._left_out = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            self._keep(chunk[start:end])
            start = end + 1
            self._hand_on()
        self._keep(chunk[start:])

    def close(self) -> None:
        """Hand on a last line that has no line end."""
        if self._kept or self._left_out:
            self._hand_on()

    def _keep(self, piece: bytes) -> None:
        room = self._longest - len(self._kept)
        self._kept += piece[:room]
        self._left_out += max(0, len(piece) - room)

    def _hand_on(self) -> None:
        text = self._kept.decode("utf-8", "replace").removesuffix("\r")
        line = Line(self._stream, text, self._left_out)
        # Before the call: one that raises must not see this line again.
        self._kept.clear()
        self._left_out = 0
        self._on_line(line)


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
) -> Captured:
    """Run a command of our own in any thread: its answer is kept, its errors come line by line.

    Args:
        on_line: Called in this thread with each line of standard error.
        stop_pipe: A pipe that has a byte for each stop request; each is handed on.

    Raises:
        TooMuchOutput: It printed more than `LARGEST_ANSWER`; it was asked to stop, and has ended.
    """
    out, err = bytearray(), LineSplitter("stderr", on_line)

    def feed(chunk: bytes) -> None:
        if len(out) + len(chunk) > LARGEST_ANSWER:
            raise TooMuchOutput(f"more than {LARGEST_ANSWER} bytes")
        out.extend(chunk)

    child = Child([*watchdog(), *argv], directory, environment)
    ended = supervise(child, (feed, err.feed), FORWARD, stop_pipe=stop_pipe)
    err.close()
    if ended.error:
        raise ended.error
    return Captured(ended.returncode, ended.steps, None, bytes(out))


def watchdog(lock: int = -1) -> list[str]:
    """Return what stands before a program that is told to stop when we are gone."""
    return [*python(_PARENT_DEATH), str(os.getpid()), str(lock)]


def python(script: str) -> list[str]:
    """Return what stands before the arguments of a script that needs the standard library alone.

    Not `python SCRIPT`: a Ctrl-C that comes while Python looks whether SCRIPT is a folder or an
    archive is printed and forgotten, and Terraform starts all the same.
    """
    return [sys.executable, "-I", "-S", "-c", _RUN, script]


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


def run_in_foreground(
    command: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str],
    stdout: IO[str] | None = None,
) -> int:
    """Run a command to its end and return its exit status; 128 + N where signal N ended it.

    Args:
        stdout: Where its standard output goes; our own where None.
    """
    if sys.platform == "linux":
        # Where we are killed without a word, it is told to stop: what it works with goes with us.
        command = [*watchdog(), *command]
    with _forwarding() as to:
        process = subprocess.Popen(command, cwd=directory, env=dict(environment), stdout=stdout)
        try:
            to(process)
            returncode = process.wait()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    return returncode if returncode >= 0 else 128 - returncode


@contextmanager
def _forwarding() -> Iterator[Callable[[subprocess.Popen[bytes]], None]]:
    """Pass the stopping signals on to a command instead of dying of them.

    The terminal's Ctrl-C reaches the command by itself: it is in the same foreground group.
    Passed on as well it would be the second one, at which Terraform drops everything.
    """
    started: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def forward(signum: int, _: FrameType | None) -> None:
        if not started:
            early.append(signum)
        elif signum != signal.SIGINT or not _in_foreground():
            started[0].send_signal(signum)

    def to(process: subprocess.Popen[bytes]) -> None:
        started.append(process)
        for signum in early:
            process.send_signal(signum)

    with caught(forward):
        yield to


def _in_foreground() -> bool:
    """Say whether a terminal's Ctrl-C goes to our process group."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
