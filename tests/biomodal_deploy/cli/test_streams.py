"""Pipes, terminals, closed streams and full disks, as processes of their own."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from unittest.mock import Mock

import pytest

from biomodal_deploy.cli.options import Format
from biomodal_deploy.cli.render import _console
from biomodal_deploy.cli.render.project import show_value
from biomodal_deploy.cli.session import emit
from biomodal_deploy.engine.terraform import OutputValue
from biomodal_deploy.errors import EXIT_DONE, EXIT_SEALED_PLAN, EXIT_USAGE
from tests.support import warm
from tests.support.driven import Driven
from tests.support.light import LightProject
from tests.support.plans import plan, resource
from tests.support.processes import run_program
from tests.support.sealed_project import sealed_project

# Whole commands, each a process of its own.
pytestmark = pytest.mark.slow

ESCAPE = "\x1b"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a sealed plan that is longer than a pipe is wide."""
    many = [resource(f"aws_{'x' * 80}.y{number}", "create", None, {}) for number in range(800)]
    path, _ = sealed_project(tmp_path_factory.mktemp("streams") / "project", plan(*many))
    return path


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a sealed plan of a few lines."""
    path, _ = sealed_project(
        tmp_path_factory.mktemp("short") / "project", plan(resource("aws_x.é", "create", None, {}))
    )
    return path


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this environment without what decides on colours."""
    steering = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM", "BIOMODAL_", "CDKTF_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return {**kept, "TERM": "xterm-256color", **(more or {})}


def shell(folder: Path, script: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script in the project; `$@` is the command with these words."""
    return run_program(
        ["bash", "-c", script, "-", sys.executable, "-m", "biomodal_deploy", *words],
        cwd=folder,
        env=environment(),
        timeout=60,
    )


def test_a_pipe_gets_no_escape_codes(folder: Path) -> None:
    """Colours are for terminals; a file or a program gets text, and whole lines."""
    done = shell(folder, '"$@"', "show", "--full")
    assert done.returncode == EXIT_DONE, done.stderr
    assert ESCAPE not in done.stdout + done.stderr
    assert "x.y799" in done.stdout
    assert len(done.stdout) > 1 << 16


@pytest.mark.parametrize(
    ("words", "reader"),
    [
        (["show", "--full"], "head -1"),
        (["show", "--full"], "true"),
        (["show", "--output", "json"], "head -1"),
        (["--help"], "true"),
    ],
)
def test_a_closed_pipe_is_no_error(folder: Path, words: Sequence[str], reader: str) -> None:
    """`biomodal-aws show | head` ends with the command's own status and without a word."""
    done = shell(folder, f'"$@" | {reader}; exit ${{PIPESTATUS[0]}}', *words)
    assert done.stderr == ""
    if words[0] == "show":
        assert done.returncode == EXIT_DONE


def test_an_error_keeps_its_status_where_nobody_reads_it(short: Path) -> None:
    """Also with standard error closed."""
    for closed in ("2>&-", "2>/dev/full", ">&- 2>&- <&-"):
        done = shell(short, f'"$@" {closed}', "show", "no-such")
        assert done.returncode == EXIT_SEALED_PLAN, closed


def test_a_closed_standard_output_is_no_error(short: Path) -> None:
    """Nobody wants the result: so be it."""
    done = shell(short, '"$@" >&-', "show")
    assert (done.returncode, done.stderr) == (EXIT_DONE, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("words", [["show"], ["show", "--output", "json"]])
def test_a_full_disk_is_one_line(short: Path, words: Sequence[str]) -> None:
    """A result that could not be written is no success, and what was done is not called undone."""
    done = shell(short, '"$@" >/dev/full', *words)
    assert done.returncode == EXIT_USAGE
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: standard output: ")
    for part in ("No space left on device", "exit status 0", "Fix: "):
        assert part in line


def test_a_terminal_that_is_gone_is_no_full_disk() -> None:
    """Nobody reads any more: the boundary has a status for that."""
    gone = OSError(errno.EIO, "Input/output error")
    with pytest.raises(OSError, match="Input/output"):
        emit({}, Mock(side_effect=gone), Format.TEXT)


@pytest.mark.engine
@pytest.mark.parametrize("lost", ["2>/dev/full", "2>&1 >/dev/null | head -3"])
def test_an_apply_that_nobody_watches_is_finished(tmp_path: Path, lost: str) -> None:
    """A full disk under its log, or a reader that went away, leaves no half an environment."""
    project = LightProject(tmp_path / "project")
    project.plan()
    done = shell(project.folder, f'"$@" {lost}; exit ${{PIPESTATUS[0]}}', "apply")
    assert done.returncode == EXIT_DONE, done.stderr
    assert [each["state"] for each in project.run("plans", "-o", "json").data["plans"]] == [
        "applied"
    ]


def on_terminal(short: Path, more: Mapping[str, str]) -> str:
    """Run `show` on a terminal and return what is seen there."""
    with Driven.command(short, ["show"], environment(more), terminal=True) as driven:
        driven.process.wait(timeout=30)
        driven.until(lambda: "sha256" in driven.screen)
        return driven.screen


def test_a_terminal_gets_colours(short: Path) -> None:
    """So that the tests around this one can fail."""
    assert f"{ESCAPE}[" in on_terminal(short, {})


@pytest.mark.parametrize("more", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_that_wants_none_gets_none(short: Path, more: Mapping[str, str]) -> None:
    """Neither colour nor bold nor dim."""
    assert ESCAPE not in on_terminal(short, more)


ASCII: Final = {"PYTHONIOENCODING": "ascii"}
LATIN: Final = {"PYTHONIOENCODING": "latin-1"}
# Of files as well, not of the three streams alone.
POSIX: Final = {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


@pytest.mark.parametrize(
    ("form", "encodings"), [("markdown", [ASCII, LATIN, POSIX]), ("html", [POSIX])]
)
def test_a_report_is_utf8_whatever_the_console_is(
    short: Path, tmp_path: Path, form: str, encodings: list[dict[str, str]]
) -> None:
    """The same bytes on standard output and in a file."""
    saved = tmp_path / "report"
    words = ("show", "--format", form)
    assert in_bytes(short, POSIX, *words, "--out", str(saved)).returncode == EXIT_DONE
    assert "é" in saved.read_text(encoding="utf-8")
    for encoding in encodings:
        printed = in_bytes(short, encoding, *words)
        assert printed.returncode == EXIT_DONE, printed.stderr
        assert printed.stdout == saved.read_bytes(), encoding


@pytest.mark.parametrize(
    ("words", "encoding", "status"),
    [
        (["show"], ASCII, EXIT_DONE),
        (["show"], LATIN, EXIT_DONE),
        (["show"], POSIX, EXIT_DONE),
        (["init", "--explain"], ASCII, EXIT_DONE),
        (["show", "é"], POSIX, EXIT_SEALED_PLAN),
    ],
)
def test_no_encoding_is_a_bug(
    short: Path, words: Sequence[str], encoding: dict[str, str], status: int
) -> None:
    """What a console cannot show is escaped there; an error stays the error that it is."""
    done = in_bytes(short, encoding, *words)
    assert done.returncode == status, done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stdout or status


def in_bytes(
    folder: Path, encoding: Mapping[str, str], *words: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command with streams of some encoding."""
    return subprocess.run(
        [sys.executable, "-m", "biomodal_deploy", *words],
        cwd=folder,
        env=environment(encoding),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )


HOSTILE = "a\x1b[2Jb\x07c\rd\x9be\u202ef\x08g"


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bare_value_is_exact_but_on_a_terminal(
    terminal: bool, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program gets every byte of an output; a person's terminal is not steered by it."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    show_value(_console(stderr=False), {"x": OutputValue(sensitive=False, value=f"{HOSTILE}é")})
    out = capsysbinary.readouterr().out
    if terminal:
        assert not set(out.decode()) & set("\x1b\x07\r\x9b\u202e\x08")
    else:
        assert out == f"{HOSTILE}é\n".encode()


def test_a_missing_folder_is_named(short: Path, tmp_path: Path) -> None:
    """Neither the disk's space nor its permissions is to blame where no folder is."""
    words = ["show", "--out", str(tmp_path / "none" / "x.md")]
    done = warm.run(short, words, environment(), timeout=60)
    assert done.returncode == EXIT_USAGE
    assert f"create the folder {tmp_path / 'none'}" in done.stderr
    assert "space" not in done.stderr


def test_an_unusable_temporary_folder_is_named(short: Path, tmp_path: Path) -> None:
    """Before a provider or Node fails in it, with a path that nobody asked for."""
    (tmp_path / "file").touch()
    for value in (tmp_path / "none", tmp_path / "file"):
        done = warm.run(short, ["plan"], environment({"TMPDIR": str(value)}), timeout=60)
        assert done.returncode == EXIT_USAGE
        assert "TMPDIR" in done.stderr
        assert str(value) in done.stderr


@pytest.mark.engine
def test_colours_in_a_pipe_are_no_animation(tmp_path: Path) -> None:
    """FORCE_COLOR colours a CI log; a spinner's frames and cursor moves would fill it."""
    project = LightProject(tmp_path / "project")
    forced = {**project.environment(), "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    done = project.run("plan", environment=forced)
    assert done.status == EXIT_DONE, done.err
    said = done.out + done.err
    assert f"{ESCAPE}[" in said
    assert not re.search(rf"{ESCAPE}\[[0-9;?]*[A-Za-ln-z]", said), "no cursor is moved"
    assert not re.search("[\u2800-\u28ff]", said), "no spinner's frame"


@pytest.mark.engine
@pytest.mark.parametrize("terminal", ["dumb", "xterm-256color"])
def test_a_dumb_terminal_gets_lines(tmp_path: Path, terminal: str) -> None:
    """A terminal that cannot move its cursor gets each step as a line, and others a spinner."""
    project = LightProject(tmp_path / "project")
    given = {**project.environment(), "TERM": terminal}
    with Driven.command(project.folder, ["plan"], given, terminal=True) as driven:
        assert driven.process.wait(120) == EXIT_DONE
        driven.until(lambda: "sha256" in driven.screen)
        assert ("Planning ..." in driven.screen) is (terminal == "dumb")
        assert (ESCAPE in driven.screen) is (terminal != "dumb")
