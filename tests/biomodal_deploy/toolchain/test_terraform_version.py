"""The version is asked once in a process, and early where it will be needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from biomodal_deploy.toolchain.probe import ProbeError
from biomodal_deploy.toolchain.terraform_version import ask_version_ahead, version_of

ENVIRON = {"PATH": "/usr/bin:/bin"}


def counting(folder: Path, answer: str) -> tuple[str]:
    """Make a program that notes each time it is asked."""
    program = folder / "terraform"
    program.write_text(f"#!/bin/sh\necho asked >> {folder}/log\n{answer}\n")
    program.chmod(0o755)
    return (str(program),)


def test_what_was_asked_ahead_is_not_asked_again(tmp_path: Path) -> None:
    """One process gives one answer, however often and early it is asked."""
    prefix = counting(tmp_path, """echo '{"terraform_version": "1.9.0"}'""")
    for _ in range(2):
        ask_version_ahead(prefix, ENVIRON, tmp_path)
    for _ in range(2):
        assert version_of(prefix, ENVIRON, tmp_path) == "1.9.0"
    assert (tmp_path / "log").read_text() == "asked\n"


def test_a_question_in_another_folder_is_another(tmp_path: Path) -> None:
    """Version managers answer by folder: what was asked ahead elsewhere is not taken."""
    folder = tmp_path / "other"
    folder.mkdir()
    prefix = counting(tmp_path, """printf '{"terraform_version": "%s"}' "$(cat version)\"""")
    (tmp_path / "version").write_text("1.9.0")
    (folder / "version").write_text("1.9.1")
    ask_version_ahead(prefix, ENVIRON, tmp_path)
    assert version_of(prefix, ENVIRON, folder) == "1.9.1"


def test_what_is_wrong_is_raised_where_the_answer_is_needed(tmp_path: Path) -> None:
    """Asking ahead never fails; the real question does, and says why."""
    ask_version_ahead((str(tmp_path / "none"),), ENVIRON, None)
    with pytest.raises(FileNotFoundError):
        version_of((str(tmp_path / "none"),), ENVIRON, None)
    prefix = counting(tmp_path, "exit 3")
    ask_version_ahead(prefix, ENVIRON, None)
    with pytest.raises(ProbeError, match="does not answer as terraform"):
        version_of(prefix, ENVIRON, None)


def test_a_process_that_ends_early_takes_its_question_along(tmp_path: Path) -> None:
    """A command that fails before it needs the answer leaves no process behind."""
    prefix = counting(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 300")
    code = (
        "import sys, time; from pathlib import Path;"
        "from biomodal_deploy.toolchain.terraform_version import ask_version_ahead;"
        "ask_version_ahead((sys.argv[1],), {'PATH': '/usr/bin:/bin'}, None);"
        "pid = Path(sys.argv[2])\n"
        "while not (pid.exists() and pid.read_text()): time.sleep(0.01)"
    )
    pid = tmp_path / "pid"
    subprocess.run([sys.executable, "-c", code, *prefix, str(pid)], check=True, timeout=30)
    assert not psutil.pid_exists(int(pid.read_text()))
