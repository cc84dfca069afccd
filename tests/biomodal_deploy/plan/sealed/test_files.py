"""Tests for biomodal_deploy.plan.sealed.files."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
from pathlib import Path

import pytest

from biomodal_deploy.errors import SealedPlanRefused, UsageError
from biomodal_deploy.files import private_dir, replace, write_new
from biomodal_deploy.plan.sealed import sha256
from biomodal_deploy.plan.sealed.files import canonical, held, opened, read_private
from tests.support.sealed_plans import forked, refused, sealed


def mode(path: Path) -> int:
    """Return a path's mode."""
    return stat.S_IMODE(path.stat().st_mode)


def test_files_and_folders_are_private_whatever_the_mask(tmp_path: Path) -> None:
    """They hold secrets."""
    old = os.umask(0)
    try:
        folder = private_dir(tmp_path / "a" / "b")
        assert write_new(folder / "file", b"x")
        replace(folder / "other", b"y")
    finally:
        os.umask(old)
    assert (mode(folder), mode(folder / "file"), mode(folder / "other")) == (0o700, 0o600, 0o600)


def test_an_open_folder_is_closed(tmp_path: Path) -> None:
    """One that somebody made by hand."""
    folder = tmp_path / "plans"
    folder.mkdir(mode=0o755)
    assert mode(private_dir(folder)) == 0o700


def test_a_new_file_never_replaces_one(tmp_path: Path) -> None:
    """Nor follows a link that lies in its place."""
    path = tmp_path / "file"
    assert write_new(path, b"first")
    assert not write_new(path, b"second")
    assert path.read_bytes() == b"first"
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    assert not write_new(tmp_path / "link", b"x")
    assert not (tmp_path / "elsewhere").exists()


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    """Half a file would be read as one later."""

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        with pytest.raises(UsageError, match="cannot be written"):
            write_new(tmp_path / "new", b"x" * 5000)
        with pytest.raises(UsageError, match="cannot be written"):
            replace(tmp_path / "kept", b"x" * 5000)

    (tmp_path / "kept").write_bytes(b"before")
    assert forked(fill) == [0]
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept").read_bytes() == b"before"


def test_a_folder_in_the_way_is_one_line(tmp_path: Path) -> None:
    """Never a traceback."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        private_dir(tmp_path / "file" / "below")


class TestOpening:
    """Only a file that nobody else could touch is read."""

    def test_a_private_file_is_read(self, tmp_path: Path) -> None:
        """As a start."""
        write_new(tmp_path / "file", b"content")
        assert read_private(tmp_path / "file", 100) == b"content"

    @pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o602])
    def test_one_open_to_others_is_refused(self, tmp_path: Path, bits: int) -> None:
        """To read or to write, for the group or for all."""
        write_new(tmp_path / "file", b"x")
        (tmp_path / "file").chmod(bits)
        with refused("readable_by_others", "open to others"):
            read_private(tmp_path / "file", 100)

    def test_a_link_is_refused(self, tmp_path: Path) -> None:
        """Even to a private file."""
        write_new(tmp_path / "file", b"x")
        (tmp_path / "link").symlink_to(tmp_path / "file")
        with refused("symlink", "symbolic link"):
            read_private(tmp_path / "link", 100)

    def test_another_users_file_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever owns it can change it any time."""
        write_new(tmp_path / "file", b"x")
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
        with refused("wrong_owner", "another user"):
            read_private(tmp_path / "file", 100)

    def test_what_is_no_file_is_refused_without_waiting(self, tmp_path: Path) -> None:
        """A pipe would block for ever."""
        os.mkfifo(tmp_path / "pipe", 0o600)
        with pytest.raises(SealedPlanRefused, match="no file"), opened(tmp_path / "pipe"):
            pass

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        """By its path."""
        with refused("missing_file", "missing"):
            read_private(tmp_path / "file", 100)

    def test_a_huge_file_is_not_read(self, tmp_path: Path) -> None:
        """Not more than there can be."""
        write_new(tmp_path / "file", b"x" * 101)
        with pytest.raises(SealedPlanRefused, match="larger than 100 bytes"):
            read_private(tmp_path / "file", 100)


def test_one_value_has_one_text() -> None:
    """Whatever the order of its keys."""
    assert (
        canonical({"b": [1], "a": "é"})
        == canonical({"a": "é", "b": [1]})
        == '{"a":"é","b":[1]}'.encode()
    )


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
    with refused("edited_plan"), sealed_plan.held_plan_file():
        pass
