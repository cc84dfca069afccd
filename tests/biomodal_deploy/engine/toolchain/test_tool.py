"""Version constraints mean what they mean to Terraform, and a program may answer as it likes."""

from __future__ import annotations

import errno
import os
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from biomodal_deploy.engine.toolchain import tool
from biomodal_deploy.engine.toolchain.tool import LIMIT_BYTES, ProbeError, ask, satisfies
from biomodal_deploy.errors import UsageError
from tests.support.programs import shell_program


@pytest.mark.parametrize(
    ("version", "constraint", "met"),
    [
        ("5.100.0", "", True),
        ("5.100.0", "5.100.0", True),
        ("5.100.0", "= 5.100", True),
        ("5.101.3", "~> 5.100", True),
        ("6.0.0", "~> 5.100", False),
        ("5.99.0", "~> 5.100", False),
        ("5.100.7", "~> 5.100.1", True),
        ("5.101.0", "~> 5.100.1", False),
        ("5.9.0", "~> 5", True),
        ("6.1.0", "~> 5", False),
        ("6.25.0", ">= 5.0, < 7.0.0", True),
        ("7.0.0", ">= 5.0, < 7.0.0", False),
        ("5.1.0", ">5.1", False),
        ("5.1.0", "!= 5.1.0", False),
        ("6.0.0-beta1", ">= 5", False),
        ("6.0.0-beta1", "= 6.0.0-beta1", True),
        ("5.1.0", "whatever", False),
    ],
)
def test_satisfies(version: str, constraint: str, met: bool) -> None:
    """Each operator holds; a pre-release fits only where it is named; rubbish never fits."""
    assert satisfies(version, constraint) is met


PATH = {"PATH": "/usr/bin:/bin"}


def script(path: Path, body: str) -> str:
    """Make a shell program."""
    return str(shell_program(path, body))


def lasting(folder: Path, then: str) -> tuple[Path, str]:
    """Make a program with a child that lasts; return where it writes the child's number, and it."""
    pid = folder / "pid"
    return pid, script(folder / "p", f"sleep 300 & echo $! > {pid}; {then}")


def test_returns_what_the_program_said(tmp_path: Path) -> None:
    """Status and both streams come back, and the first line is fit for a message."""
    answer = ask([script(tmp_path / "p", "echo; echo '│ no' >&2; exit 3")], environ=PATH)
    assert (answer.status, answer.first_line) == (3, "no")


@pytest.mark.slow
@pytest.mark.parametrize("then", ["wait", "exit 0"], ids=["it hangs", "its child does"])
def test_program_that_hangs_is_ended_with_its_children(tmp_path: Path, then: str) -> None:
    """It costs the timeout and leaves no process; one whose child keeps its output open too."""
    pid, program = lasting(tmp_path, then)
    started = time.monotonic()
    with pytest.raises(ProbeError, match="no answer within"):
        ask([program], environ=PATH, timeout=0.5)
    assert time.monotonic() - started < 30
    assert _gone(int(pid.read_text()))


def test_interrupted_question_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever ends the command while a program answers ends the program and its children."""
    pid, program = lasting(tmp_path, "wait")

    def interrupted(*_: object) -> None:
        while not (pid.exists() and pid.read_text()):
            time.sleep(0.01)
        raise KeyboardInterrupt

    monkeypatch.setattr(tool, "_read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ask([program], environ=PATH)
    assert _gone(int(pid.read_text()))


def test_flood_is_cut(tmp_path: Path) -> None:
    """Endless output is refused at once and not collected; what fits is an answer."""
    fits = script(tmp_path / "fits", f"head -c {LIMIT_BYTES} /dev/zero")
    assert len(ask([fits], environ=PATH).text) == LIMIT_BYTES
    with pytest.raises(ProbeError, match="prints without end"):
        ask([script(tmp_path / "p", "exec yes")], environ=PATH, timeout=10)


def test_a_limit_of_the_system_is_no_fault_of_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it cannot be started or starts no thread: the limit is named, and how to raise it."""
    said = "runtime: failed to create new OS thread (have 2 already; errno=11)"
    program = script(tmp_path / "p", f"echo '{said}'; exit 2")
    with pytest.raises(UsageError, match=r"Too many processes.*ulimit -u"):
        ask([program], environ=PATH)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(UsageError, match=r"Too many open files.*ulimit -n"):
        ask([program], environ=PATH)


@pytest.mark.parametrize("content", [b"\x00\x01\x02garbage", b"#!/no/such/interpreter\n"])
def test_rubbish_is_a_phrase(tmp_path: Path, content: bytes) -> None:
    """A file that the system cannot start is a phrase and no OSError."""
    program = tmp_path / "p"
    program.write_bytes(content)
    program.chmod(0o755)
    with pytest.raises(ProbeError, match=r"^cannot be started \([A-Z][a-z ]+\)$"):
        ask([str(program)], environ=PATH)


def _gone(pid: int) -> bool:
    for _ in range(50):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False
