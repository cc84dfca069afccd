"""How much to count, for how long, and who is told meanwhile.

A bucket may hold a billion objects, and S3 lists a thousand at a time: counting has an end, and
what was not counted to the end says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Final

PAUSE_S: Final = 2.0


class Patience:
    """How long counting may go on, shared by all that count at the same time.

    Args:
        seconds: How long.
        tell: Told how far counting has come, at most every two seconds.
    """

    def __init__(self, seconds: float, tell: Callable[[str], None]) -> None:
        self._until = time.monotonic() + seconds
        self._tell, self._lock = tell, Lock()
        self._told = time.monotonic()
        self._closed = False

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return self._closed or time.monotonic() >= self._until

    def say(self, text: str) -> None:
        """Tell how far it has come, unless somebody did so just now."""
        with self._lock:
            if self._closed or time.monotonic() - self._told < PAUSE_S:
                return
            self._told = time.monotonic()
            self._tell(text)

    def close(self) -> None:
        """Let nobody say anything more: a call that hangs may come back late."""
        with self._lock:
            self._closed = True
