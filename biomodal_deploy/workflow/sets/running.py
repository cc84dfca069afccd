"""Run the parts of a set, a few at a time, until each of them has ended and was reaped."""

from __future__ import annotations

import os
import selectors
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

from biomodal_deploy.engine.process.stop_requests import stop_signals, wished
from biomodal_deploy.errors import EXIT_INTERRUPTED
from biomodal_deploy.workflow.sets.outcome import Outcome, Problem
from biomodal_deploy.workflow.sets.part import Part
from biomodal_deploy.workflow.sets.telling import Told

_TICK: Final = 1.0


@dataclass(frozen=True)
class Started:
    """Work on a deployment begins."""

    stack: str


@dataclass(frozen=True)
class Said:
    """A deployment's command says what goes on."""

    stack: str
    told: Told


@dataclass(frozen=True)
class Ended:
    """A deployment is done, one way or another."""

    outcome: Outcome


@dataclass(frozen=True)
class Stopping:
    """All were asked to stop; sent each second until they have."""

    seconds: float


Signal: TypeAlias = Started | Said | Ended | Stopping
Listener: TypeAlias = Callable[[Signal], None]


def run_parts(
    parts: Sequence[Part],
    *,
    jobs: int,
    directory: Path,
    environment: Mapping[str, str],
    listen: Listener,
) -> list[Outcome]:
    """Run every part, and return what became of each, in their order.

    A wish to stop (Ctrl-C) is handed on to each running part once; those that have not begun do
    not begin. Nothing is left running.

    Args:
        parts: What to run.
        jobs: How many at once.
        directory: What relative paths start from.
        environment: The environment of each.
        listen: Told of what goes on, one call at a time, from several threads.
    """
    with stop_signals() as wishes:
        crew = _Crew(parts, directory, environment, listen)
        crew.work(min(jobs, len(parts)), wishes)
    return [crew.outcomes.get(part.stack) or _not_begun(part.stack) for part in parts]


class _Crew:
    """The threads that each look after one child at a time, and what they share."""

    def __init__(
        self,
        parts: Sequence[Part],
        directory: Path,
        environment: Mapping[str, str],
        listen: Listener,
    ) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self._waiting = deque(parts)
        self._directory, self._environment = directory, environment
        self._listen = listen
        self._lock = threading.Lock()
        self._wish_pipes: set[int] = set()
        self._faults: list[BaseException] = []

    def work(self, hands: int, wishes: int) -> None:
        """Work until every part has ended; in the main thread, which hears the signals."""
        with _pipe() as (done, tell_done):

            def look_after() -> None:
                try:
                    self._until_none_is_left()
                except BaseException as error:  # noqa: BLE001 - a fault of ours: raised below
                    self._faults.append(error)
                    self._stop()
                finally:
                    os.write(tell_done, b"x")

            threads = [threading.Thread(target=look_after, name=f"part-{n}") for n in range(hands)]
            for thread in threads:
                thread.start()
            self._watch(len(threads), done, wishes)
            for thread in threads:
                thread.join()
        if self._faults:
            raise self._faults[0]

    def _watch(self, running: int, done: int, wishes: int) -> None:
        asked: float | None = None
        with selectors.DefaultSelector() as selector:
            selector.register(done, selectors.EVENT_READ)
            selector.register(wishes, selectors.EVENT_READ)
            while running:
                ready = {key.fd for key, _ in selector.select(_TICK if asked else None)}
                if done in ready:
                    running -= len(os.read(done, 256))
                if wishes in ready and wished(wishes):
                    asked = asked or time.monotonic()
                    self._stop()
                if asked and running:
                    self._say(Stopping(time.monotonic() - asked))

    def _until_none_is_left(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    return
                part = self._waiting.popleft()
                stack = ExitStack()
                reader, writer = stack.enter_context(_pipe())
                # Within the lock: a wish that comes now is for this one too.
                self._wish_pipes.add(writer)
            with stack:
                try:
                    self._say(Started(part.stack))
                    outcome = part.run(
                        directory=self._directory,
                        environment=self._environment,
                        tell=partial(self._said, part.stack),
                        wishes=reader,
                    )
                finally:
                    with self._lock:
                        self._wish_pipes.discard(writer)
            self.outcomes[part.stack] = outcome
            self._say(Ended(outcome))

    def _stop(self) -> None:
        with self._lock:
            self._waiting.clear()
            for pipe in self._wish_pipes:
                with suppress(BlockingIOError):
                    os.write(pipe, b"x")

    def _said(self, stack: str, told: Told) -> None:
        self._say(Said(stack, told))

    def _say(self, signal: Signal) -> None:
        # A terminal that is gone must not end the supervision of what still runs.
        with self._lock, suppress(OSError):
            self._listen(signal)


@contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    try:
        yield reader, writer
    finally:
        os.close(reader)
        os.close(writer)


def _not_begun(stack: str) -> Outcome:
    problem = Problem(code="interrupted", message="Not begun: the set was asked to stop before.")
    return Outcome(stack=stack, exit_status=EXIT_INTERRUPTED, problem=problem)
