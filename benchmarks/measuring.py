"""How long a program takes, and how much memory it and its children have at most."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import psutil

_PAUSE_S: Final = 0.01
_MIB: Final = 1 << 20


def seconds(argv: Sequence[str], *, directory: Path, environment: Mapping[str, str]) -> float:
    """Run a program, and return its wall time from start to end."""
    started = time.perf_counter()
    subprocess.run(
        argv,
        cwd=directory,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=True,
    )
    return time.perf_counter() - started


def peak_mib(argv: Sequence[str], *, directory: Path, environment: Mapping[str, str]) -> int:
    """Run a program, and return the most memory that its process tree had at one time.

    Resident memory of all its processes is added up, so what they share counts for each. Looking
    slows the program down: this is never the run that is timed.
    """
    peak = 0
    with psutil.Popen(
        argv,
        cwd=directory,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        while process.poll() is None:
            peak = max(peak, _resident(process))
            time.sleep(_PAUSE_S)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(argv))
    return peak // _MIB


def _resident(process: psutil.Process) -> int:
    total = 0
    try:
        for each in (process, *process.children(recursive=True)):
            total += each.memory_info().rss
    except psutil.Error:  # It has ended in between.
        pass
    return total
