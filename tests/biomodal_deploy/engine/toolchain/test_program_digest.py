"""Programs are known by their contents, and large ones are read once."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from biomodal_deploy.engine.toolchain.program_digest import program_sha256


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home of its own."""
    return {"HOME": str(tmp_path / "home")}


def test_an_exchanged_program_has_another_digest(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """Although its size and the time of its content are set to what they were."""
    program = tmp_path / "terraform"
    program.write_text("approved")
    before = program.stat()
    assert program_sha256(program, environment) == hashlib.sha256(b"approved").hexdigest()
    program.write_text("modified")
    os.utime(program, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert program_sha256(program, environment) == hashlib.sha256(b"modified").hexdigest()


def test_a_program_is_read_once(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 90 MB that is worth it."""
    program = tmp_path / "terraform"
    program.write_text("approved")
    digest = program_sha256(program, environment)
    monkeypatch.setattr(hashlib, "file_digest", None)
    assert program_sha256(program, environment) == digest


def test_a_home_that_cannot_be_written_to_is_no_obstacle(tmp_path: Path) -> None:
    """Then each digest is computed."""
    (tmp_path / "file").write_text("approved")
    found = program_sha256(tmp_path / "file", {"HOME": str(tmp_path / "file")})
    assert found == hashlib.sha256(b"approved").hexdigest()
