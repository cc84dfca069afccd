"""Signals become exceptions of ours, one for each request."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import pytest

from biomodal_deploy.errors import EXIT_INTERRUPTED

# Like the command: exceptions pass through `exec`, where CPython looks at KeyboardInterrupt.
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
    sys.exit(130)
"""
# A terminal hangs up twice.
_TWICE: Final = "os.kill(os.getpid(), signal.SIG{name}); time.sleep(0.1)"
# Python drops what a callback raises, and prints a traceback: neither happens.
_CALLBACK: Final = """
import signal, sys, time, weakref
from biomodal_deploy.cli.stopping import StopRequested, stop_on_signals
class Thing: pass
stop_on_signals()
thing = Thing()
kept = weakref.ref(thing, lambda _: (signal.raise_signal(signal.SIG{name}), None))
try:
    del thing
    time.sleep(5)
except StopRequested:
    sys.exit(130)
"""
# Whoever asks again after a while does not want to wait for the tidying up.
_LATER: Final = """
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
# Under `nohup` a closed terminal stops nothing.
_IGNORED: Final = """
import os, signal
from biomodal_deploy.cli.stopping import stop_on_signals
signal.signal(signal.SIGHUP, signal.SIG_IGN)
stop_on_signals()
os.kill(os.getpid(), signal.SIGHUP)
"""
# From its first moments: what is imported after that takes ten times as long.
_EARLY: Final = """
import builtins, os, signal
original = builtins.__import__
def imported(name, *rest):
    if name == 'biomodal_deploy.cli.boundary':
        os.kill(os.getpid(), signal.SIGTERM)
    return original(name, *rest)
builtins.__import__ = imported
from biomodal_deploy.__main__ import main
main()
"""


def ended(script: str) -> tuple[int, bytes]:
    """Return how a command ends that sends a signal to itself, and what it printed of it."""
    words = [sys.executable, "-c", script]
    done = subprocess.run(words, capture_output=True, timeout=30, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP"])
@pytest.mark.parametrize(
    "script",
    [_COMMAND.replace("{then}", "pass"), _COMMAND.replace("{then}", _TWICE), _CALLBACK],
    ids=["once", "twice", "in a callback"],
)
def test_a_signal_ends_the_command_with_its_own_status(script: str, name: str) -> None:
    """Not by the signal: whoever started it reads 130, and everything was tidied up once."""
    assert ended(script.replace("{name}", name)) == (EXIT_INTERRUPTED, b"")


@pytest.mark.parametrize(
    ("script", "status"), [(_LATER, 2), (_IGNORED, 0), (_EARLY, EXIT_INTERRUPTED)]
)
def test_each_request_is_heard_once_and_an_ignored_signal_never(script: str, status: int) -> None:
    """A later request is another one, and the first moment of the command is early enough."""
    assert ended(script) == (status, b"")
