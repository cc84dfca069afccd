"""The version is asked once in a process, and early where it will be needed."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest

from biomodal_deploy.engine.toolchain.probe import ProbeError
from biomodal_deploy.engine.toolchain.terraform_version import version_asked, version_of

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
    with version_asked(prefix, ENVIRON, tmp_path):
        for _ in range(2):
            assert version_of(prefix, ENVIRON, tmp_path) == "1.9.0"
    assert version_of(prefix, ENVIRON, tmp_path) == "1.9.0"
    assert (tmp_path / "log").read_text() == "asked\n"


def test_a_question_in_another_folder_is_another(tmp_path: Path) -> None:
    """Version managers answer by folder: what was asked ahead elsewhere is not taken."""
    folder = tmp_path / "other"
    folder.mkdir()
    prefix = counting(tmp_path, """printf '{"terraform_version": "%s"}' "$(cat version)\"""")
    (tmp_path / "version").write_text("1.9.0")
    (folder / "version").write_text("1.9.1")
    with version_asked(prefix, ENVIRON, tmp_path):
        assert version_of(prefix, ENVIRON, folder) == "1.9.1"


def test_what_is_wrong_is_raised_where_the_answer_is_needed(tmp_path: Path) -> None:
    """Asking ahead never fails; the real question does, and says why."""
    missing = (str(tmp_path / "none"),)
    with version_asked(missing, ENVIRON, None), pytest.raises(FileNotFoundError):
        version_of(missing, ENVIRON, None)
    prefix = counting(tmp_path, "exit 3")
    with version_asked(prefix, ENVIRON, None), pytest.raises(ProbeError, match="not answer as"):
        version_of(prefix, ENVIRON, None)


def test_what_nobody_asked_in_the_end_is_ended(tmp_path: Path) -> None:
    """Work that fails before it needs the answer leaves no process behind, however slow it is."""
    prefix = counting(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 300")
    pid = tmp_path / "pid"

    def stopped() -> None:
        with version_asked(prefix, ENVIRON, None):
            while not (pid.exists() and pid.read_text()):
                time.sleep(0.01)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert not psutil.pid_exists(int(pid.read_text()))
