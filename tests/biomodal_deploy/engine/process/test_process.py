"""Signals between a terminal, us, and a command that runs on the same terminal."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from biomodal_deploy.engine import process


class Told:
    """A command that keeps the signals it is sent."""

    def __init__(self) -> None:
        self.signals: list[int] = []

    def send_signal(self, signum: int) -> None:
        """Keep it."""
        self.signals.append(signum)


@pytest.mark.parametrize("terminal", [True, False])
def test_what_the_terminal_sends_is_not_sent_again(
    monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    """Ctrl-C at a terminal is not passed on, and all else is; then the handlers are as before."""
    monkeypatch.setattr(process, "_in_foreground", lambda: terminal)
    before, told = signal.getsignal(signal.SIGINT), Told()
    with process._forwarding() as to:
        signal.raise_signal(signal.SIGTERM)
        to(told)  # type: ignore[arg-type]
        for signum in (signal.SIGINT, signal.SIGHUP):
            signal.raise_signal(signum)
    interrupt = [] if terminal else [signal.SIGINT]
    assert told.signals == [signal.SIGTERM, *interrupt, signal.SIGHUP]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_that_is_ignored_stays_so() -> None:
    """Under nohup a hang-up is nothing to pass on."""
    before, told = signal.signal(signal.SIGHUP, signal.SIG_IGN), Told()
    try:
        with process._forwarding() as to:
            to(told)  # type: ignore[arg-type]
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert told.signals == []


def test_what_it_prints_goes_where_it_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Where our own standard output is for a program, a command's is not mixed into it."""
    words = [sys.executable, "-c", "print('for people')"]
    with (tmp_path / "screen").open("w") as screen:
        status = process.run_in_foreground(
            words, directory=tmp_path, environment=os.environ, stdout=screen
        )
    assert status == 0
    assert (tmp_path / "screen").read_text() == "for people\n"
    assert capfd.readouterr().out == ""
