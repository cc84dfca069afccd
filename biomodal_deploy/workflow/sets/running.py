"""Run the parts of a set on a pool of threads; each part is a command of its own."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from pydantic import ValidationError

from biomodal_deploy.engine.process import Line, NotStarted, TooMuchOutput, collect
from biomodal_deploy.engine.process.stop_requests import read_stop_requests, stop_signals
from biomodal_deploy.errors import EXIT_BUG, EXIT_ENGINE, EXIT_INTERRUPTED
from biomodal_deploy.workflow.sets import Envelope, Message, Problem, StackOutcome

# -P: whatever lies in the project's folder is no part of this program.
_SELF: Final = (sys.executable, "-P", "-m", "biomodal_deploy")
_LAST_WORDS: Final = 5
# How soon a request to stop is passed on.
_TICK_SECONDS: Final = 0.2
_MOST_BY_DEFAULT: Final = 4
_FEWEST_BY_DEFAULT: Final = 2
# An allowance and no measurement: the AWS provider alone takes several hundred megabytes.
_BYTES_EACH: Final = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Part:
    """One stack of a set.

    Attributes:
        words: The command and its arguments, without `--stack` and `--output`.
    """

    stack: str
    words: Sequence[str]

    def run(
        self,
        *,
        directory: Path,
        environment: Mapping[str, str],
        on_message: Callable[[Message], None],
        stop_pipe: int,
    ) -> StackOutcome:
        """Run it to its end.

        Args:
            on_message: Receives what it reports, in this thread.
            stop_pipe: Has a byte for each request to stop.
        """
        started = time.monotonic()
        notices: list[str] = []
        last_words: deque[str] = deque(maxlen=_LAST_WORDS)

        def on_line(line: Line) -> None:
            message = Message.parse(line.text)
            if message is None:
                last_words.append(line.text)
                return
            if message.kind == "notice":
                notices.append(message.text)
            on_message(message)

        command = [*_SELF, *self.words, "--stack", self.stack, "--output", "json", "--part"]
        try:
            ended = collect(
                command,
                directory=directory,
                environment=environment,
                on_line=on_line,
                stop_pipe=stop_pipe,
            )
            envelope = _envelope(ended.stdout, ended.returncode, last_words)
        except (NotStarted, TooMuchOutput) as error:
            envelope = _without_answer(EXIT_ENGINE, f"its command gave no answer: {error}")
        return StackOutcome(
            stack=self.stack,
            exit_status=envelope.exit_status,
            seconds=round(time.monotonic() - started, 1),
            data=envelope.data,
            error=envelope.error,
            notices=tuple(notices),
        )


@dataclass(frozen=True)
class Started:
    """Work on a stack begins."""

    stack: str


@dataclass(frozen=True)
class Reported:
    """A stack's command reports something."""

    stack: str
    message: Message


@dataclass(frozen=True)
class Ended:
    """A stack is done, one way or another."""

    outcome: StackOutcome


@dataclass(frozen=True)
class Stopping:
    """All that run were asked to stop."""


Event: TypeAlias = Started | Reported | Ended | Stopping


def run_parts(
    parts: Sequence[Part],
    *,
    jobs: int,
    directory: Path,
    environment: Mapping[str, str],
    on_event: Callable[[Event], None],
) -> list[StackOutcome]:
    """Run every part, and return what became of each, in their order.

    A request to stop (Ctrl-C) is passed on to each running part; those that have not begun do not
    begin. Nothing is left running.

    Args:
        on_event: Receives what goes on, one call at a time, from several threads.
    """
    emitting = threading.Lock()
    stop = _Stop()

    def emit(event: Event) -> None:
        # A terminal that is gone must not end the supervision of what still runs.
        with emitting, suppress(OSError):
            on_event(event)

    def run(part: Part) -> StackOutcome:
        with stop.pipe() as stop_pipe:
            emit(Started(part.stack))
            outcome = part.run(
                directory=directory,
                environment=environment,
                on_message=lambda message: emit(Reported(part.stack, message)),
                stop_pipe=stop_pipe,
            )
        emit(Ended(outcome))
        return outcome

    with stop_signals() as signals, ThreadPoolExecutor(max(1, min(jobs, len(parts)))) as pool:
        futures = [pool.submit(run, part) for part in parts]
        pending = set(futures)
        try:
            while pending:
                done, pending = wait(pending, _TICK_SECONDS, return_when=FIRST_COMPLETED)
                if any(not each.cancelled() and each.exception() for each in done):
                    break
                if read_stop_requests(signals):
                    for future in pending:
                        future.cancel()
                    stop.request()
                    emit(Stopping())
        finally:
            # A fault of ours: it is raised below, when the others have stopped.
            for future in pending:
                future.cancel()
            stop.request()
    return [
        _not_begun(part.stack) if future.cancelled() else future.result()
        for part, future in zip(parts, futures, strict=True)
    ]


def default_jobs(processors: int | None = None, available: int | None = None) -> int:
    """Return how many stacks are worked on at once unless told otherwise.

    One a processor, two at least and four at most, and no more than have room in memory.

    Args:
        processors: How many there are; this machine's where None.
        available: Free memory in bytes; this machine's where None.
    """
    processors = processors or os.cpu_count() or 1
    available = _available() if available is None else available
    wanted = min(max(processors, _FEWEST_BY_DEFAULT), _MOST_BY_DEFAULT)
    return max(1, min(wanted, available // _BYTES_EACH))


@dataclass
class _Stop:
    """Passes a request to stop on to whatever runs, and to what begins afterwards."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _writers: set[int] = field(default_factory=set)
    _requested: bool = False

    def request(self) -> None:
        with self._lock:
            self._requested = True
            for writer in self._writers:
                _write(writer)

    @contextmanager
    def pipe(self) -> Iterator[int]:
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        with self._lock:
            self._writers.add(writer)
            if self._requested:
                _write(writer)
        try:
            yield reader
        finally:
            with self._lock:
                self._writers.discard(writer)
            os.close(reader)
            os.close(writer)


def _write(writer: int) -> None:
    with suppress(BlockingIOError):
        os.write(writer, b"x")


def _envelope(answer: bytes, returncode: int, last_words: Sequence[str]) -> Envelope:
    try:
        return Envelope.model_validate_json(answer)
    except ValidationError:
        pass
    said = f": {' / '.join(last_words)}" if last_words else "."
    if returncode == EXIT_INTERRUPTED:
        return _without_answer(EXIT_INTERRUPTED, "interrupted: nothing more was done")
    if returncode < 0:
        # It could say nothing more; its Terraform was told to stop, and lets the lock go.
        message = f"its command was ended by signal {-returncode}{said}"
        return _without_answer(EXIT_INTERRUPTED, message)
    message = f"its command ended with status {returncode} and no answer{said}"
    return _without_answer(EXIT_BUG, message)


def _without_answer(status: int, message: str) -> Envelope:
    code = {EXIT_INTERRUPTED: "interrupted", EXIT_ENGINE: "engine"}.get(status, "bug")
    return Envelope(exit_status=status, data=None, error=Problem(code=code, message=message))


def _not_begun(stack: str) -> StackOutcome:
    problem = Problem(code="interrupted", message="Not begun: the set was asked to stop before.")
    return StackOutcome(stack=stack, exit_status=EXIT_INTERRUPTED, error=problem)


def _available() -> int:
    """Return the memory that can be had without swapping; plenty where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        fields = dict(line.split(":", 1) for line in lines if ":" in line)
        return int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return _MOST_BY_DEFAULT * _BYTES_EACH
