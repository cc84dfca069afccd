"""Run a command that talks to the person itself: on the same terminal, stopped with us, reaped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO

from biomodal_deploy.engine.process import watchdog
from biomodal_deploy.engine.process.stop_requests import caught


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
    told: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def forward(signum: int, _: FrameType | None) -> None:
        if not told:
            early.append(signum)
        elif signum != signal.SIGINT or not _in_foreground():
            told[0].send_signal(signum)

    def to(process: subprocess.Popen[bytes]) -> None:
        told.append(process)
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
