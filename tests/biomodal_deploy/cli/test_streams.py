"""Pipes, terminals, closed streams and full disks, as processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from biomodal_deploy.errors import EXIT_BUNDLE, EXIT_DONE, EXIT_USAGE
from tests.support.driven import Driven
from tests.support.plans import plan, resource
from tests.support.sealed_project import sealed_project

ESCAPE = "\x1b"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a sealed plan that is longer than a pipe is wide."""
    many = [resource(f"aws_x.y{number}", "create", None, {"a": 1}) for number in range(3000)]
    path, _ = sealed_project(tmp_path_factory.mktemp("streams") / "project", plan(*many))
    return path


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this environment without what decides on colours."""
    steering = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM", "BIOMODAL_", "CDKTF_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return {**kept, "TERM": "xterm-256color", **(more or {})}


def shell(folder: Path, script: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script in the project; `$@` is the command with these words."""
    return subprocess.run(
        ["bash", "-c", script, "-", sys.executable, "-m", "biomodal_deploy", *words],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_pipe_gets_no_escape_codes(folder: Path) -> None:
    """Colours are for terminals; a file or a program gets text, and whole lines."""
    done = shell(folder, '"$@"', "show")
    assert done.returncode == EXIT_DONE, done.stderr
    assert ESCAPE not in done.stdout + done.stderr
    assert "+ aws_x.y2999" in done.stdout


@pytest.mark.parametrize("words", [["show"], ["show", "--output", "json"], ["--help"]])
@pytest.mark.parametrize("reader", ["head -1", "true"])
def test_a_closed_pipe_is_no_error(folder: Path, words: Sequence[str], reader: str) -> None:
    """`biomodal-aws show | head` ends with the command's own status and without a word."""
    done = shell(folder, f'"$@" | {reader}; exit ${{PIPESTATUS[0]}}', *words)
    assert done.stderr == ""
    if words[0] == "show":
        assert done.returncode == EXIT_DONE


def test_an_error_keeps_its_status_where_nobody_reads_it(folder: Path) -> None:
    """Also with standard error closed."""
    for closed in ("2>&-", "2>/dev/full", ">&- 2>&- <&-"):
        done = shell(folder, f'"$@" {closed}', "show", "no-such")
        assert done.returncode == EXIT_BUNDLE, closed


def test_a_closed_standard_output_is_no_error(folder: Path) -> None:
    """Nobody wants the result: so be it."""
    done = shell(folder, '"$@" >&-', "show")
    assert (done.returncode, done.stderr) == (EXIT_DONE, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("words", [["show"], ["show", "--output", "json"]])
def test_a_full_disk_is_one_line(folder: Path, words: Sequence[str]) -> None:
    """A result that could not be written is no success."""
    done = shell(folder, '"$@" >/dev/full', *words)
    assert done.returncode == EXIT_USAGE
    assert done.stderr == "error: No space left on device.\n"


def on_terminal(folder: Path, more: Mapping[str, str]) -> str:
    """Run `show` on a terminal and return what is seen there."""
    with Driven.command(folder, ["show"], environment(more), terminal=True) as driven:
        driven.process.wait(timeout=30)
        driven.until(lambda: "sha256" in driven.screen)
        return driven.screen


def test_a_terminal_gets_colours(folder: Path) -> None:
    """So that the tests around this one can fail."""
    assert f"{ESCAPE}[" in on_terminal(folder, {})


@pytest.mark.parametrize("more", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_that_wants_none_gets_none(folder: Path, more: Mapping[str, str]) -> None:
    """Neither colour nor bold nor dim."""
    assert ESCAPE not in on_terminal(folder, more)
