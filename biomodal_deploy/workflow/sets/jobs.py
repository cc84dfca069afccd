"""How many at once: what the processors and the memory of this machine bear."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_MOST_BY_DEFAULT: Final = 4
_FEWEST_BY_DEFAULT: Final = 2
# An allowance and no measurement: the AWS provider alone takes several hundred megabytes.
_BYTES_EACH: Final = 1 << 30


def default_jobs(processors: int | None = None, available: int | None = None) -> int:
    """Return how many deployments are worked on at once unless told otherwise.

    One a processor, two at least and four at most, and no more than have room in memory.

    Args:
        processors: How many there are; this machine's where None.
        available: Free memory in bytes; this machine's where None.
    """
    processors = processors or os.cpu_count() or 1
    available = _available() if available is None else available
    wanted = min(max(processors, _FEWEST_BY_DEFAULT), _MOST_BY_DEFAULT)
    return max(1, min(wanted, available // _BYTES_EACH))


def _available() -> int:
    """Return the memory that can be had without swapping; plenty where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        fields = dict(line.split(":", 1) for line in lines if ":" in line)
        return int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return _MOST_BY_DEFAULT * _BYTES_EACH
