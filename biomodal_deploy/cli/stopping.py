"""Ending on a signal as on Ctrl-C: by an exception, so that everything is tidied up."""

from __future__ import annotations

import signal
import sys
import time
from math import inf
from types import FrameType
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# A terminal hangs up once for the kernel and once for the shell, and `timeout` signals its child
# and then the child's group: a second exception would tear through the tidying up.
_SAME_REQUEST: Final = 1.0


# Long enough for Python to leave the callback.
_AGAIN: Final = 0.001


class StopRequested(KeyboardInterrupt):
    """Somebody wants the command to end.

    A class of its own: where KeyboardInterrupt itself passes through `exec` (every dataclass is
    made by one), CPython ends the process by SIGINT in the end, although it was caught.
    """


def stop_on_signals() -> None:
    """Raise StopRequested on each stopping signal; one that is ignored (`nohup`) stays so."""
    last = -inf

    def stop(_: int, __: FrameType | None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _SAME_REQUEST:
            last = now
            raise StopRequested

    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop)
    sys.unraisablehook = _raise_again


def _raise_again(lost: sys.UnraisableHookArgs) -> None:
    """Raise a stop once more that met one of Python's own callbacks, which drop what they raise.

    While modules are imported there are thousands of them. Not from here: that is dropped too.
    """
    if not isinstance(lost.exc_value, StopRequested):
        sys.__unraisablehook__(lost)
        return

    def again(_: int, __: FrameType | None) -> None:
        raise StopRequested

    signal.signal(signal.SIGALRM, again)
    signal.setitimer(signal.ITIMER_REAL, _AGAIN)


def stop_no_more() -> None:
    """Ignore stopping signals from now on: all is done, and the process is about to end."""
    for number in (*_SIGNALS, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
