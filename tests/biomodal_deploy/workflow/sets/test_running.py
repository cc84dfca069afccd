"""The pool: a limit at once, every outcome in its place, one request to stop for all."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from biomodal_deploy.workflow.sets import Message, StackOutcome
from biomodal_deploy.workflow.sets.running import Ended, Event, Part, Started, run_parts


class Gauge:
    """Counts how many work at the same time."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()

    def change(self, by: int) -> None:
        """One more, or one less."""
        with self._lock:
            self.now += by
            self.most = max(self.most, self.now)


@dataclass(frozen=True, kw_only=True)
class Stub(Part):
    """A part without a child: it waits for its time, or for a request to stop."""

    words: Sequence[str] = ()
    seconds: float = 0.02
    status: int = 0
    gauge: Gauge = field(default_factory=Gauge)

    def run(
        self,
        *,
        directory: Path,  # noqa: ARG002
        environment: Mapping[str, str],  # noqa: ARG002
        on_message: Callable[[Message], None],
        stop_pipe: int,
    ) -> StackOutcome:
        """Wait."""
        self.gauge.change(1)
        on_message(Message(kind="step", text="Waiting"))
        asked, _, _ = select.select([stop_pipe], [], [], self.seconds)
        self.gauge.change(-1)
        return StackOutcome(stack=self.stack, exit_status=130 if asked else self.status)


@dataclass(frozen=True, kw_only=True)
class Broken(Part):
    """A part with a bug."""

    def run(self, **_: object) -> StackOutcome:
        """Fail."""
        raise ZeroDivisionError


def run(parts: list[Part], jobs: int, said: list[Event] | None = None) -> list[StackOutcome]:
    """Run parts, and note what is said."""
    on_event = (said if said is not None else []).append
    return run_parts(parts, jobs=jobs, directory=Path(), environment={}, on_event=on_event)


def test_so_many_at_once_and_every_outcome_in_its_place() -> None:
    """Order is that of the parts, whatever ends first."""
    gauge, said = Gauge(), list[Event]()
    parts: list[Part] = [
        Stub(stack=f"s{n}", seconds=0.06 - n / 200, status=n % 3, gauge=gauge) for n in range(12)
    ]
    outcomes = run(parts, 3, said)
    assert [each.stack for each in outcomes] == [f"s{n}" for n in range(12)]
    assert [each.exit_status for each in outcomes] == [n % 3 for n in range(12)]
    assert gauge.most == 3
    assert sum(isinstance(each, Started) for each in said) == 12
    assert sum(isinstance(each, Ended) for each in said) == 12


@pytest.mark.slow
def test_a_request_to_stop_reaches_all_that_run_and_nothing_more_begins() -> None:
    """Ctrl-C in the middle: the running ones are asked, the others are as they were."""
    parts: list[Part] = [Stub(stack=f"s{n}", seconds=0.05 if n < 2 else 30) for n in range(20)]
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    began = time.monotonic()
    outcomes = run(parts, 4)
    assert time.monotonic() - began < 20
    assert [each.exit_status for each in outcomes] == [0, 0, *[130] * 18]
    begun = [each for each in outcomes if each.error is None]
    assert len(begun) == 2 + 4
    assert all("Not begun" in str(each.error) for each in outcomes[6:])


def test_a_fault_of_ours_stops_the_others_first() -> None:
    """It is raised when all have ended, so that nothing is left running."""
    gauge = Gauge()
    parts: list[Part] = [Stub(stack="long", seconds=30, gauge=gauge), Broken(stack="x", words=())]
    began = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        run(parts, 2)
    assert time.monotonic() - began < 20
    assert gauge.now == 0


def test_a_reader_that_is_gone_stops_nothing() -> None:
    """A closed terminal: the set goes on to its end."""

    def closed(_: Event) -> None:
        raise BrokenPipeError

    parts = [Stub(stack=f"s{n}") for n in range(3)]
    outcomes = run_parts(parts, jobs=2, directory=Path(), environment={}, on_event=closed)
    assert [each.exit_status for each in outcomes] == [0, 0, 0]
