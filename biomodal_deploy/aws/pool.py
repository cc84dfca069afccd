"""Run many small jobs on a bounded number of threads, until a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import Generic, TypeVar

_T = TypeVar("_T")


def as_finished(
    jobs: Sequence[Callable[[], _T]], *, workers: int, seconds: float
) -> Iterator[tuple[int, Future[_T]]]:
    """Yield each job's number and outcome as it ends; what has not ended in time is left out.

    The threads are daemons, unlike those of `concurrent.futures`, which the interpreter waits
    for at exit: a call that hangs must not keep the command from ending.
    """
    waiting: SimpleQueue[int] = SimpleQueue()
    ended: SimpleQueue[tuple[int, Future[_T]]] = SimpleQueue()
    stopped = Event()
    for number in range(len(jobs)):
        waiting.put(number)

    def work() -> None:
        while not stopped.is_set():
            try:
                number = waiting.get_nowait()
            except Empty:
                return
            ended.put((number, _outcome(jobs[number])))

    for _ in range(min(workers, len(jobs))):
        Thread(target=work, name="preflight", daemon=True).start()
    deadline = time.monotonic() + seconds
    try:
        for _ in jobs:
            yield ended.get(timeout=max(0.0, deadline - time.monotonic()))
    except Empty:
        return
    finally:
        stopped.set()


class Once(Generic[_T]):
    """A call that several threads need and one of them makes; a failure is remembered too."""

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make
        self._lock = Lock()
        self._outcome: Future[_T] | None = None

    def __call__(self) -> _T:
        """Return what the call returned, or raise what it raised."""
        with self._lock:
            if self._outcome is None:
                self._outcome = _outcome(self._make)
        return self._outcome.result()


def _outcome(job: Callable[[], _T]) -> Future[_T]:
    future: Future[_T] = Future()
    try:
        future.set_result(job())
    except Exception as error:  # noqa: BLE001 - handed to whoever asks for the result
        future.set_exception(error)
    return future
