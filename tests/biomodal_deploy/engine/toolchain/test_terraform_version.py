"""The version is asked once in a process."""

from __future__ import annotations

from pathlib import Path

import pytest

from biomodal_deploy.engine.toolchain.probe import ProbeError
from biomodal_deploy.engine.toolchain.terraform_version import version_of

ENVIRON = {"PATH": "/usr/bin:/bin"}


def counting(folder: Path, answer: str) -> tuple[str]:
    """Make a program that notes each time it is asked."""
    program = folder / "terraform"
    program.write_text(f"#!/bin/sh\necho asked >> {folder}/log\n{answer}\n")
    program.chmod(0o755)
    return (str(program),)


def test_one_process_asks_once(tmp_path: Path) -> None:
    """The answer is kept for the process, however often it is needed."""
    prefix = counting(tmp_path, """echo '{"terraform_version": "1.9.0"}'""")
    for _ in range(2):
        assert version_of(prefix, ENVIRON, tmp_path) == "1.9.0"
    assert (tmp_path / "log").read_text() == "asked\n"


def test_a_question_in_another_folder_is_another(tmp_path: Path) -> None:
    """Version managers answer by folder: what was answered elsewhere is not used."""
    folder = tmp_path / "other"
    folder.mkdir()
    prefix = counting(tmp_path, """printf '{"terraform_version": "%s"}' "$(cat version)\"""")
    (tmp_path / "version").write_text("1.9.0")
    (folder / "version").write_text("1.9.1")
    assert version_of(prefix, ENVIRON, tmp_path) == "1.9.0"
    assert version_of(prefix, ENVIRON, folder) == "1.9.1"


def test_what_is_wrong_is_raised(tmp_path: Path) -> None:
    """A program that is missing or no Terraform is an error, and not a version."""
    with pytest.raises(FileNotFoundError):
        version_of((str(tmp_path / "none"),), ENVIRON, None)
    prefix = counting(tmp_path, "exit 3")
    with pytest.raises(ProbeError, match="not answer as"):
        version_of(prefix, ENVIRON, None)
