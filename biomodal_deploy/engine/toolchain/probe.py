"""Ask a program for its version without trusting it: it may hang, flood or print rubbish."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LIMIT_BYTES: Final = 64 * 1024
TIMEOUT_SECONDS: Final = 20.0


class ProbeError(Exception):
    """The program gave no usable answer; the text says how, in a phrase."""


@dataclass(frozen=True)
class Answer:
    """What a program said.

    Attributes:
        text: Its output, errors included.
    """

    status: int
    text: str

    @property
    def first_line(self) -> str:
        """The first line that says something, for an error message."""
        words = (line.strip(" \t│╷╵|") for line in self.text.splitlines())
        return next((line for line in words if line), "no output")[:200]


def ask(
    argv: Sequence[str],
    *,
    environ: Mapping[str, str],
    cwd: Path | None = None,
    timeout: float = TIMEOUT_SECONDS,
) -> Answer:
    """Run a program, and return what it says; no process is left behind.

    Args:
        environ: Its whole environment.
        timeout: Seconds after which it counts as hanging.

    Raises:
        ProbeError: cannot be started, hangs, or prints without end.
    """
    try:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environ),
            cwd=cwd,
            start_new_session=True,
        )
    except OSError as error:
        raise ProbeError(f"cannot be started ({error.strerror or error})") from error
    try:
        output = _read(child, time.monotonic() + timeout)
        status = child.wait(timeout)
    except (TimeoutError, subprocess.TimeoutExpired) as error:
        raise ProbeError(f"no answer within {timeout:g} s") from error
    finally:
        _end(child)
    return Answer(status, output.decode(errors="replace"))


def _read(child: subprocess.Popen[bytes], deadline: float) -> bytes:
    assert child.stdout is not None  # noqa: S101 - Popen was given a pipe
    chunks = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0:
            if not selector.select(left):
                continue
            chunk = os.read(child.stdout.fileno(), LIMIT_BYTES)
            if not chunk:
                return bytes(chunks)
            chunks += chunk
            if len(chunks) > LIMIT_BYTES:
                raise ProbeError("prints without end")
    raise TimeoutError


def _end(child: subprocess.Popen[bytes]) -> None:
    """Reap the child and end whatever it started: a script's children outlive the script."""
    # The leader is unreaped or its group is gone, so its number cannot name a stranger's group.
    if child.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    if child.stdout is not None:
        child.stdout.close()
