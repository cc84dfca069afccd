"""The edge of the command line: one line, one envelope and one status for whatever happens."""

from __future__ import annotations

import errno
import json
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Never

import pytest

from biomodal_deploy.cli.boundary import run
from biomodal_deploy.cli.stopping import StopRequested
from biomodal_deploy.errors import (
    EXIT_BUG,
    EXIT_DONE,
    EXIT_ENGINE,
    EXIT_GUARD,
    EXIT_INTERRUPTED,
    EXIT_SEALED_PLAN,
    EXIT_USAGE,
    EngineError,
    GuardRefused,
    Interrupted,
    SealedPlanRefused,
    UsageError,
)
from tests.support.sealed_project import STACK, sealed_project

Raising = Callable[[BaseException], None]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a sealed plan, as the current folder."""
    folder, _ = sealed_project(tmp_path / "project")
    monkeypatch.chdir(folder)
    for name in [name for name in os.environ if name.startswith(("BIOMODAL_", "CDKTF_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return folder


@pytest.fixture
def raising(project: Path, monkeypatch: pytest.MonkeyPatch) -> Raising:
    """Make `history` raise something in its middle."""

    def patch(error: BaseException) -> None:
        def fail(*_: object) -> Never:
            raise error

        monkeypatch.setattr("biomodal_deploy.workflow.stack.last_stack", fail)

    return patch


STOPPED = "Interrupted: nothing more was done."
FULL = OSError(errno.ENOSPC, "No space left on device", "/full")
CLOSED = PermissionError(errno.EACCES, "Permission denied", "/closed")
PERMISSIONS = "fix the permissions of /, or choose another path"
ROOM = "free some space on the disk"
MANY = OSError(errno.EMFILE, "Too many open files")
ALLOW_FILES = "allow more open files (`ulimit -n 4096`)"
NO_THREAD = RuntimeError("can't start new thread")
ALLOW_PROCESSES = "end programs, or allow more processes (`ulimit -u 4096`)"
LATE = SealedPlanRefused("expired", "Late.")
WRONG = UsageError("It is wrong", field="x")
BROKEN = EngineError("It broke", log=Path("/l/og"))
# By error: its status, code and line, and what programs get besides.
FAILURES: Any = [
    (WRONG, EXIT_USAGE, "usage", "x: It is wrong.", {"field": "x"}),
    (BROKEN, EXIT_ENGINE, "engine", "It broke. Log: /l/og", {"log": "/l/og"}),
    (GuardRefused("No."), EXIT_GUARD, "guard_refused", "No.", {}),
    (LATE, EXIT_SEALED_PLAN, "sealed_plan_refused", "Late.", {"reason": "expired"}),
    (Interrupted("Stopped."), EXIT_INTERRUPTED, "interrupted", "Stopped.", {}),
    (KeyboardInterrupt(), EXIT_INTERRUPTED, "interrupted", STOPPED, {}),
    (StopRequested(), EXIT_INTERRUPTED, "interrupted", STOPPED, {}),
    (FULL, EXIT_USAGE, "usage", f"/full: No space left on device. Fix: {ROOM}.", {}),
    (CLOSED, EXIT_USAGE, "usage", f"/closed: Permission denied. Fix: {PERMISSIONS}.", {}),
    (MANY, EXIT_USAGE, "usage", f"Too many open files. Fix: {ALLOW_FILES}.", {}),
    (NO_THREAD, EXIT_USAGE, "usage", f"Too many processes. Fix: {ALLOW_PROCESSES}.", {}),
]
IDS = [type(each[0]).__name__ for each in FAILURES]


@pytest.mark.parametrize(("error", "status", "code", "line", "more"), FAILURES, ids=IDS)
def test_a_failure_is_one_line_or_one_envelope(
    raising: Raising,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    status: int,
    code: str,
    line: str,
    more: dict[str, str],
) -> None:
    """On standard error, with the documented status; under JSON on standard output alone."""
    raising(error)
    assert run(["history"]) == status
    assert capsys.readouterr() == ("", f"error: {line}\n")
    assert run(["history", "--output", "json"]) == status
    printed = capsys.readouterr()
    known = {"code": code, "message": line, **more}
    assert json.loads(printed.out) == {"exit_status": status, "data": None, "error": known}
    assert printed.err == ""


@pytest.mark.parametrize(
    "words", [["--output", "json"], ["--output=json"], ["-o", "json"], ["-ojson"]]
)
def test_json_is_understood_however_it_is_asked_for(
    project: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    """Also where the rest of the line is wrong."""
    assert run(["history", *words, "--no-such"]) == EXIT_USAGE
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "usage"


def test_another_programs_options_are_not_ours(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What follows `--` is for the command in the sandbox."""
    assert run(["sandbox", "run", "--no-such", "--", "x", "--output", "json"]) != EXIT_DONE
    assert capsys.readouterr().out == ""


def test_success_is_the_same_envelope(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The keys are there whatever happens."""
    assert run(["show", "--output", "json"]) == EXIT_DONE
    envelope = json.loads(capsys.readouterr().out)
    assert (envelope["exit_status"], envelope["error"]) == (EXIT_DONE, None)
    assert envelope["data"]["stack"] == STACK


def bug_log(folder: Path) -> Path:
    """Return the one file that a bug left."""
    (log,) = folder.glob("biomodal-aws-bug-*.log")
    return log


def test_a_bug_keeps_its_traceback_in_a_private_file(
    raising: Raising, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only a bug of ours shows a traceback; the file to report is named."""
    raising(RuntimeError("unforeseen"))
    assert run(["history"]) == EXIT_BUG
    printed = capsys.readouterr()
    log = bug_log(tmp_path)
    assert "RuntimeError: unforeseen" in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert "Traceback" in printed.err
    last = printed.err.splitlines()[-1]
    assert last.startswith("error: This is a bug of biomodal-aws (RuntimeError).")
    assert str(log) in last
    assert printed.out == ""


def _wrapped() -> RuntimeError:
    error = RuntimeError("Error calling __set_name__")
    error.__cause__ = StopRequested()
    return error


@pytest.mark.parametrize(
    ("error", "status"),
    [
        # A stop request that came while an enumeration was being made.
        (_wrapped(), EXIT_INTERRUPTED),
        # A closed pipe or terminal in the middle of work: nobody reads any more.
        (OSError(errno.EPIPE, "nobody is there"), EXIT_INTERRUPTED),
        (OSError(errno.EIO, "nobody is there"), EXIT_INTERRUPTED),
        # A bad descriptor is a fault of ours.
        (OSError(errno.EBADF, "Bad file descriptor"), EXIT_BUG),
    ],
)
def test_a_stop_request_is_told_from_a_bug(
    raising: Raising, capsys: pytest.CaptureFixture[str], error: BaseException, status: int
) -> None:
    """What ends a command from outside is an interruption, whatever it comes as."""
    raising(error)
    assert run(["history"]) == status
    assert ("Traceback" in capsys.readouterr().err) is (status == EXIT_BUG)


def test_a_bug_is_an_envelope_too(
    raising: Raising, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Programs get no traceback, but its place."""
    raising(AssertionError())
    assert run(["history", "--output", "json"]) == EXIT_BUG
    printed = capsys.readouterr()
    envelope = json.loads(printed.out)
    assert (envelope["exit_status"], envelope["error"]["code"]) == (EXIT_BUG, "bug")
    assert str(bug_log(tmp_path)) in envelope["error"]["message"]
    assert printed.err == ""


def test_a_bug_on_a_full_disk_is_still_said(
    raising: Raising, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the traceback cannot be kept, it is on screen."""

    def full(**_: object) -> Never:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "mkstemp", full)
    raising(RuntimeError("unforeseen"))
    assert run(["history"]) == EXIT_BUG
    printed = capsys.readouterr().err
    assert "RuntimeError: unforeseen" in printed
    assert "Please report it with what is above." in printed


@pytest.mark.parametrize("reading", ["apply", "history", "output", "show"])
def test_an_unknown_stack_is_one_line(
    project: Path, capsys: pytest.CaptureFixture[str], reading: str
) -> None:
    """With what was meant, by each command that names a stack and synthesizes nothing."""
    assert run([reading, "--stack", "dmeo"]) == EXIT_USAGE
    printed = capsys.readouterr()
    assert printed.err == ('error: --stack = "dmeo": no such stack. Fix: did you mean "demo"?\n')


def test_a_folder_that_is_gone_is_no_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another terminal may have deleted the folder that this one is in."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert run(["plan"]) == EXIT_USAGE
    assert "the current folder no longer exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["shwo"], "No such command 'shwo'. Did you mean 'show'?"),
        (["show", "--stacck", "x"], "No such option: --stacck (Possible options: --stack)."),
        (["--stack", "x", "show"], "No such option: --stack. A command's options come after it."),
        (["show", "a", "b"], "Got unexpected extra argument(s) (b)."),
        (["show", "--stack"], "Option '--stack' requires an argument."),
        (["show", "--output", "yaml"], "Invalid value for '--output' / '-o': 'yaml' is not one of"),
        (["plan", "--destroy", "--refresh-only"], "--destroy: cannot be used with --refresh-only."),
        (["keygen"], "Missing argument 'NAME'."),
        (["show", "no-such"], "demo has no sealed plan no-such. The newest is "),
        (["show", ""], "demo has no sealed plan of an empty name. The newest is "),
        (["apply", "--expect-sha256", "xyz"], '--expect-sha256 = "xyz": A SHA-256 has 64'),
    ],
)
def test_bad_usage_is_one_line(
    project: Path, capsys: pytest.CaptureFixture[str], words: list[str], line: str
) -> None:
    """It names what is wrong, and what was meant where that can be guessed."""
    assert run(words) in (EXIT_USAGE, EXIT_SEALED_PLAN)
    printed = capsys.readouterr()
    (said,) = [each for each in printed.err.splitlines() if not each.endswith("...")]
    assert said.startswith(f"error: {line}")
    assert not said.endswith("?.")
    assert printed.out == ""


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["--wrong"], "biomodal-aws"),
        (["backend"], "biomodal-aws backend"),
        (["backend", "migrate", "--wrong"], "biomodal-aws backend migrate"),
        (["show", "--stack"], "biomodal-aws"),
    ],
)
def test_bad_usage_names_the_help(
    capsys: pytest.CaptureFixture[str], words: list[str], command: str
) -> None:
    """Where nothing can be guessed, the line says where the right words are."""
    assert run(words) == EXIT_USAGE
    assert capsys.readouterr().err.endswith(f". Next: {command} --help\n")


def test_a_folder_without_a_project_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the file that is missing, and the option."""
    assert run(["show", "--project-dir", str(tmp_path / "nowhere")]) == EXIT_USAGE
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "cdktf.json" in said
    assert "--project-dir" in said
