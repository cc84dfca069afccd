"""What was hashed is what is opened."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from biomodal_deploy.errors import SealedPlanRefused
from biomodal_deploy.plan.sealed import sha256
from biomodal_deploy.plan.sealed.holding import held
from tests.support.sealed_plans import sealed


def private(path: Path, content: bytes) -> Path:
    """Write a private file."""
    path.touch(0o600)
    path.write_bytes(content)
    return path


def test_a_child_reads_the_copy_whatever_becomes_of_the_file(tmp_path: Path) -> None:
    """The copy is another file, and the digest is its own."""
    content = os.urandom(3_000_000)
    path = private(tmp_path / "plan", content)
    with held(path, tmp_path / "copy") as copy:
        path.write_bytes(b"another")
        read = subprocess.run(["cat", copy.path], capture_output=True, check=True).stdout
    assert (read, copy.sha256) == (content, sha256(content))


def test_nobody_can_write_to_the_copy(tmp_path: Path) -> None:
    """Not even the same user: the kernel sealed it."""
    with held(private(tmp_path / "plan", b"approved"), tmp_path / "copy") as copy:
        assert copy.in_memory
        with pytest.raises(PermissionError):
            copy.path.write_bytes(b"another")
        assert copy.path.read_bytes() == b"approved"
    assert not (tmp_path / "copy").exists()


def test_where_there_is_no_such_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is a private file that is gone at the end, and never somebody's link."""
    monkeypatch.delattr(os, "memfd_create")
    target = tmp_path / "target"
    (tmp_path / "copy").symlink_to(target)
    with held(private(tmp_path / "plan", b"approved"), tmp_path / "copy") as copy:
        assert copy.path.read_bytes() == b"approved"
        assert copy.path.stat().st_mode & 0o077 == 0
    assert not copy.path.exists()
    assert not target.exists()


def test_an_exchanged_plan_file_is_not_held(tmp_path: Path) -> None:
    """What is held is what was sealed, or nothing."""
    sealed_plan = sealed(tmp_path / "plans")
    with sealed_plan.held_plan_file() as path:
        assert path.read_bytes() == b"a plan file"
    sealed_plan.plan_file.write_bytes(b"another")
    with pytest.raises(SealedPlanRefused) as refused, sealed_plan.held_plan_file():
        pass
    assert refused.value.reason == "edited_plan"
