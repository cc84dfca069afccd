"""A tool that was found, its version asked without trusting it, and how versions compare."""

from __future__ import annotations

import errno
import os
import re
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import fix_for

Source = Literal["setting", "path", "embedded", "environment", "missing"]

_NUMBERS = re.compile(r"\bv?(\d+)\.(\d+)(?:\.(\d+))?")


@dataclass(frozen=True)
class Tool:
    """A program or package that was chosen, and why.

    Attributes:
        name: What it is called in messages.
        path: The executable or package folder; null where there is none.
        version: Its version; null where it is unknown.
        source: Where the choice came from.
        reason: One phrase for people: why this one, or what is wrong with it.
    """

    name: str
    path: Path | None
    version: str | None
    source: Source
    reason: str

    @property
    def ok(self) -> bool:
        """Whether the tool can be used."""
        return self.source != "missing"


def numbers(text: str) -> tuple[int, int, int] | None:
    """Return the first version number in a text: `v24.1.0` is (24, 1, 0)."""
    found = _NUMBERS.search(text)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def program(value: str, search: str) -> Path | None:
    """Return the executable that a setting names: a path, or a name on the search path."""
    named = str(Path(value).expanduser().absolute()) if "/" in value else value
    found = shutil.which(named, path=search)
    return Path(found).absolute() if found else None


_Version = tuple[int, int, int]
_PART: Final = re.compile(r"\s*(=|!=|>=|<=|>|<|~>)?\s*v?(\d+(?:\.\d+){0,2})\s*")
_COMPARE: Final[dict[str, Callable[[_Version, _Version], bool]]] = {
    "=": lambda version, bound: version == bound,
    "!=": lambda version, bound: version != bound,
    ">=": lambda version, bound: version >= bound,
    "<=": lambda version, bound: version <= bound,
    ">": lambda version, bound: version > bound,
    "<": lambda version, bound: version < bound,
}


def satisfies(version: str, constraint: str) -> bool:
    """Return whether a released version meets a constraint such as `~> 5.100, != 5.101.0`.

    What this does not understand counts as not met: the registry then answers.
    """
    known = numbers(version)
    # Terraform takes a pre-release only where a constraint names exactly that one.
    if known is None or "-" in version:
        return version == constraint.strip().lstrip("= ")
    return all(_meets(known, part) for part in constraint.split(",") if part.strip())


def _meets(version: _Version, part: str) -> bool:
    found = _PART.fullmatch(part)
    if not found:
        return False
    given = [int(number) for number in found[2].split(".")]
    major, minor, patch = [*given, 0, 0][:3]
    bound = (major, minor, patch)
    if found[1] != "~>":
        return _COMPARE[found[1] or "="](version, bound)
    # Only the last number given may grow.
    fixed = max(len(given) - 1, 1)
    return version >= bound and version[:fixed] == bound[:fixed]


LIMIT_BYTES: Final = 64 * 1024
TIMEOUT_SECONDS: Final = 20.0


class ProbeError(Exception):
    """The program gave no usable answer; the text says how, in a phrase."""


@dataclass(frozen=True)
class Answer:
    """What a program said."""

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
        timeout: Seconds after which it counts as hanging.

    Raises:
        ProbeError: cannot be started, hangs, or prints without end.
        UsageError: The system allows no more open files or processes.
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
        _raise_limit(error, argv[0])
        raise ProbeError(f"cannot be started ({error.strerror or error})") from error
    try:
        output = _read(child, time.monotonic() + timeout)
        status = child.wait(timeout)
    except (TimeoutError, subprocess.TimeoutExpired) as error:
        raise ProbeError(f"no answer within {timeout:g} s") from error
    finally:
        _end(child)
    if b"failed to create new OS thread" in output:  # how a Go program says so
        _raise_limit(OSError(errno.EAGAIN, "Too many processes"), argv[0])
    return Answer(status, output.decode(errors="replace"))


def _raise_limit(error: OSError, program: str) -> None:
    """Raise what helps against a limit of the system: another program would meet it too."""
    if fix := fix_for(error, None):
        line = f"cannot be started ({error.strerror})"
        raise UsageError(line, field=program, fix=fix) from error


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
