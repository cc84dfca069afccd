"""What every test starts from. Nothing of cdktf is imported here: the guard speaks first."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Let stopping signals be what they are by default, in this process and in all it starts.

    A runner in the background, or under nohup, ignores some of them. Children inherit that, and
    the command then rightly goes on where a test expects it to stop.
    """
    for number, default in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGHUP, signal.SIG_DFL),
        (signal.SIGTERM, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, default)
