"""How long a program takes, and how much memory it and its children have at most."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

_PAUSE_S: Final = 0.01
# Where a run takes minutes, looking less often is enough and leaves the processors alone.
_LONG_PAUSE_S: Final = 0.2
_MIB: Final = 1 << 20


@dataclass(frozen=True)
class Watched:
    """A program that ran for minutes.

    Attributes:
        status: Its exit status.
        out: What it printed to standard output.
        err: What it printed to standard error.
        seconds: Its wall time.
        peak: The most memory in MiB that its process tree had at one time.
        processes: The most processes of it at one time.
    """

    status: int
    out: str
    err: str
    seconds: float
    peak: int
    processes: int


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


def watched(argv: Sequence[str], *, directory: Path, environment: Mapping[str, str]) -> Watched:
    """Run a long program once, for both its time and its memory, whatever its exit status."""
    peak = processes = 0
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        with psutil.Popen(
            argv,
            cwd=directory,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        ) as process:
            while process.poll() is None:
                tree = _tree(process)
                peak, processes = max(peak, sum(tree)), max(processes, len(tree))
                time.sleep(_LONG_PAUSE_S)
        took = time.perf_counter() - started
        for stream in (out, err):
            stream.seek(0)
        return Watched(process.returncode, out.read(), err.read(), took, peak // _MIB, processes)


def _resident(process: psutil.Process) -> int:
    return sum(_tree(process))


def _tree(process: psutil.Process) -> list[int]:
    """Return the resident memory of a process and all that it started, in bytes each."""
    found = []
    with suppress(psutil.Error):  # It has ended in between.
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                found.append(each.memory_info().rss)
    return found
