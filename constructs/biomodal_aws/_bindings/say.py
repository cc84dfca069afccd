"""The one line that says why loading the bindings takes longer this time."""

from __future__ import annotations

import sys
from typing import Final

_SAID: Final[list[str]] = []


def say(line: str) -> None:
    """Write a line to stderr, unless one was written: what follows has the same cause."""
    if not _SAID:
        print(f"biomodal-aws: {line}", file=sys.stderr)
    _SAID.append(line)
