"""Signals become exceptions of ours, one for each request."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import pytest

from biomodal_deploy.errors import EXIT_INTERRUPTED

# Like the command: exceptions pass through `exec`, where CPython looks at KeyboardInterrupt.
_COMMAND: Final = """
import os, signal, sys, time
from biomodal_deploy.cli.stopping import StopRequested, stop_no_more, stop_on_signals
stop_on_signals()
try:
    exec("os.kill(os.getpid(), signal.SIG{name}); time.sleep(5)")
except StopRequested:
    {then}
    stop_no_more()
    os.kill(os.getpid(), signal.SIG{name})
    sys.exit({status})
"""


def ended(name: str, then: str = "pass") -> int:
    """Return how such a command ends that sends a signal to itself."""
    script = _COMMAND.format(name=name, then=then, status=EXIT_INTERRUPTED)
    return subprocess.run([sys.executable, "-c", script], timeout=30, check=False).returncode


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP"])
def test_a_signal_ends_the_command_with_its_own_status(name: str) -> None:
    """Not by the signal: whoever started it reads 130, and everything was tidied up."""
    assert ended(name) == EXIT_INTERRUPTED


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP"])
def test_a_second_signal_of_the_same_wish_does_not_tear_through(name: str) -> None:
    """A terminal hangs up twice."""
    assert ended(name, f"os.kill(os.getpid(), signal.SIG{name}); time.sleep(0.1)") == 130


def test_a_later_wish_is_another_one() -> None:
    """Whoever asks again after a while does not want to wait for the tidying up."""
    script = """
import os, signal, time
from biomodal_deploy.cli import stopping
stopping._SAME_REQUEST = 0.05
stopping.stop_on_signals()
heard = 0
for _ in range(2):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
    except stopping.StopRequested:
        heard += 1
        time.sleep(0.1)
raise SystemExit(heard)
"""
    done = subprocess.run([sys.executable, "-c", script], timeout=30, check=False)
    assert done.returncode == 2


def test_an_ignored_signal_stays_ignored() -> None:
    """Under `nohup` a closed terminal stops nothing."""
    script = """
import os, signal
from biomodal_deploy.cli.stopping import stop_on_signals
signal.signal(signal.SIGHUP, signal.SIG_IGN)
stop_on_signals()
os.kill(os.getpid(), signal.SIGHUP)
"""
    done = subprocess.run([sys.executable, "-c", script], timeout=30, check=False)
    assert done.returncode == 0


def test_the_command_hears_a_signal_before_it_has_loaded() -> None:
    """From its first moments: what is imported after that takes ten times as long."""
    code = (
        "import builtins, os, signal\n"
        "original = builtins.__import__\n"
        "def imported(name, *rest):\n"
        "    if name == 'biomodal_deploy.cli.boundary':\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "    return original(name, *rest)\n"
        "builtins.__import__ = imported\n"
        "from biomodal_deploy.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (EXIT_INTERRUPTED, "")


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP"])
def test_a_signal_that_meets_a_callback_of_python_is_not_lost(name: str) -> None:
    """Python drops what a callback raises, and prints a traceback: neither happens."""
    callback = f"weakref.ref(thing, lambda _: (signal.raise_signal(signal.SIG{name}), None))"
    script = f"""
import signal, sys, time, weakref
from biomodal_deploy.cli.stopping import StopRequested, stop_on_signals
class Thing: pass
stop_on_signals()
thing = Thing()
kept = {callback}
try:
    del thing
    time.sleep(5)
except StopRequested:
    sys.exit({EXIT_INTERRUPTED})
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (EXIT_INTERRUPTED, b"")
