"""Stop requests: the signals of a person, a terminal and a machine, as bytes in a pipe."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

_STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stop_signals() -> Iterator[int]:
    """Catch the stopping signals, and yield a descriptor that has a byte for each.

    Only in the main thread, where Python allows it; a call in another thread is stopped by its
    callbacks. A signal that is ignored (`nohup`, a background job of a script) stays so. One that
    nobody read before the end is raised again, under the handlers that were there before.
    """
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)

    def note(signum: int, _: FrameType | None) -> None:
        with suppress(BlockingIOError):
            os.write(writer, bytes([signum]))

    try:
        with caught(note):
            yield reader
    finally:
        unread = read_stop_requests(reader)
        os.close(reader)
        os.close(writer)
        if unread:
            signal.raise_signal(unread[0])


@contextmanager
def caught(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handle the stopping signals; one that is ignored stays so."""
    # None: a handler that was not set from Python and could not be put back.
    before = [
        (signum, found)
        for signum in _STOPPING
        if threading.current_thread() is threading.main_thread()
        and (found := signal.getsignal(signum)) not in (signal.SIG_IGN, None)
    ]
    try:
        for signum, _ in before:
            signal.signal(signum, handler)
        yield
    finally:
        for signum, found in before:
            signal.signal(signum, found)


def read_stop_requests(reader: int) -> list[int]:
    """Return the signals that came since the last look."""
    with suppress(BlockingIOError):
        return list(os.read(reader, 256))
    return []
