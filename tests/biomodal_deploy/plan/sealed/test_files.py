"""Tests for biomodal_deploy.plan.sealed.files."""

from __future__ import annotations

import os
import resource
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from biomodal_deploy.errors import SealedPlanRefused, UsageError
from biomodal_deploy.files import private_dir, replace, write_new
from biomodal_deploy.plan.sealed.files import (
    canonical,
    check_tree,
    file_sha256,
    held,
    opened,
    read_private,
    sha256,
    tree_sha256,
)
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


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A synthesized stack."""
    root = tmp_path / "stack"
    (root / "assets" / "a").mkdir(parents=True)
    (root / "cdk.tf.json").write_text("{}")
    (root / "assets" / "a" / "script.sh").write_text("#!/bin/sh\n")
    return root


def test_a_copy_has_the_same_digest(tree: Path, tmp_path: Path) -> None:
    """Times and places do not count, contents do."""
    shutil.copytree(tree, tmp_path / "copy")
    os.utime(tmp_path / "copy" / "cdk.tf.json", (1, 1))
    assert tree_sha256(tree) == tree_sha256(tmp_path / "copy")


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "cdk.tf.json").write_text("{ }"),
        lambda root: (root / "more.tf.json").write_text(""),
        lambda root: (root / "assets" / "a" / "script.sh").unlink(),
        lambda root: (root / "assets" / "a" / "script.sh").rename(root / "script.sh"),
        lambda root: (root / "assets" / "a" / "script.sh").chmod(0o755),
        lambda root: (root / ".hidden").write_text(""),
        lambda root: (root / "link").symlink_to("nowhere"),
    ],
    ids=["edited", "added", "removed", "moved", "made executable", "hidden", "linked"],
)
def test_any_change_changes_it(tree: Path, change: Callable[[Path], object]) -> None:
    """Also one that Terraform would only notice while it runs."""
    before = tree_sha256(tree)
    change(tree)
    assert tree_sha256(tree) != before


WRITTEN_BY_TERRAFORM: Final = (
    *(
        ".terraform/providers/x",
        ".terraform.lock.hcl",
        "terraform.tfstate",
        "crash.log",
        "errored.tfstate",
    ),
    *("terraform.tfstate.backup", ".terraform.tfstate.lock.info"),
    "terraform.tfstate.d/prod/terraform.tfstate",
)
# Terraform loads some of these, and a template may read the others.
LOOKS_LIKE_IT: Final = (
    *("evil.tfstate.tf", "a.tfstate.tf.json", "a.auto.tfvars", "crash.a.log", "crash..tf.log"),
    *("prod.tfstate", "assets/.terraform/x.sh", "assets/terraform.tfstate", "assets/crash.log"),
    *("assets/terraform.tfstate.d/x.sh", "modules/vm/.terraform.lock.hcl", "Terraform.tfstate"),
)


@pytest.mark.parametrize("name", [*WRITTEN_BY_TERRAFORM, *LOOKS_LIKE_IT])
def test_only_what_terraform_writes_does_not_count(tree: Path, name: str) -> None:
    """It changes with every run; what only looks like it counts."""
    before = tree_sha256(tree)
    (tree / name).parent.mkdir(parents=True, exist_ok=True)
    (tree / name).write_text("x")
    assert (tree_sha256(tree) == before) == (name in WRITTEN_BY_TERRAFORM)


def test_another_folder_can_be_left_out(tree: Path) -> None:
    """Such as another data directory; one of its name elsewhere counts."""
    before = tree_sha256(tree)
    (tree / "data").mkdir()
    (tree / "data" / "x").write_text("x")
    assert tree_sha256(tree, ignore={"data"}) == before
    assert tree_sha256(tree) != before
    (tree / "assets" / "data").mkdir()
    (tree / "assets" / "data" / "x").write_text("x")
    assert tree_sha256(tree, ignore={"data"}) != before


@pytest.mark.parametrize("linked", ["module", "module/main.tf"], ids=["folder", "file"])
def test_a_link_counts_with_what_it_leads_to(tree: Path, tmp_path: Path, linked: str) -> None:
    """Terraform reads through it, of a file or a folder; a circle does not hang."""
    (tmp_path / "module").mkdir()
    (tmp_path / "module" / "main.tf").write_text("one")
    (tree / "link").symlink_to(tmp_path / linked)
    (tree / "circle").symlink_to(tree)
    before = tree_sha256(tree)
    (tmp_path / "module" / "main.tf").write_text("two")
    assert tree_sha256(tree) != before


def test_what_is_no_file_is_named(tree: Path) -> None:
    """Reading a pipe would wait for ever."""
    os.mkfifo(tree / "pipe")
    with pytest.raises(UsageError, match="not a regular file"):
        tree_sha256(tree)


@pytest.mark.parametrize("place", ["evil.tf", ".terraform/environment", "assets/x.sh"])
def test_terraform_waits_for_nothing(tree: Path, place: str) -> None:
    """Whatever it loads is a file before it is started, what it keeps for itself included."""
    check_tree(tree)
    (tree / place).parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(tree / place)
    with pytest.raises(UsageError, match=f"{place}: not a regular file"):
        check_tree(tree)


def test_what_others_can_write_is_not_run(tree: Path) -> None:
    """A folder or file that anyone could exchange while Terraform runs; installed ones may be."""
    asset = tree / "assets" / "x.sh"
    asset.parent.mkdir(exist_ok=True)
    asset.touch(0o644)
    for path, mode in ((tree, 0o777), (asset.parent, 0o777), (asset, 0o666), (asset, 0o1666)):
        before = path.stat().st_mode
        path.chmod(mode)
        with pytest.raises(UsageError, match=r"written by others.*chmod go-w"):
            check_tree(tree)
        path.chmod(before)
    shared = tree / ".terraform" / "providers" / "aws"
    shared.mkdir(parents=True)
    shared.chmod(0o777)  # Terraform compares what it installed with the lock file
    (shared / "terraform-provider-aws").touch()
    check_tree(tree)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_another_user_owns_is_not_run(tree: Path) -> None:
    """Its owner can write to it at any time, whatever its mode."""
    asset = tree / "assets" / "x.sh"
    asset.parent.mkdir(exist_ok=True)
    asset.touch(0o644)
    os.chown(asset, 65534, -1)
    with pytest.raises(UsageError, match=r"x\.sh belongs to another user"):
        check_tree(tree)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """With what to do."""
    with pytest.raises(UsageError, match="synth"):
        tree_sha256(tmp_path / "nothing")


def test_contents_cannot_pass_for_names(tmp_path: Path) -> None:
    """Two trees that differ only in where a name ends have two digests."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "xy").write_text("")
    (tmp_path / "b" / "x").write_text("y")
    assert tree_sha256(tmp_path / "a") != tree_sha256(tmp_path / "b")


def test_a_file_has_the_digest_that_everybody_computes(tmp_path: Path) -> None:
    """As `sha256sum` prints it; a missing file has none."""
    (tmp_path / "file").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_sha256(tmp_path / "file") == sha256(b"abc") == known
    assert file_sha256(tmp_path / "nothing") is None


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    """A folder in a file's place."""
    with pytest.raises(UsageError, match="cannot be read"):
        file_sha256(tmp_path)
