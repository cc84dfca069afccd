"""Tests for biomodal_deploy.plan.sealed.digests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from biomodal_deploy.errors import UsageError
from biomodal_deploy.plan.sealed.digests import check_tree, file_sha256, sha256, tree_sha256


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
    *(".terraform/providers/x", ".terraform.lock.hcl", "terraform.tfstate", "crash.log"),
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
    for path, mode in ((tree, 0o777), (asset.parent, 0o777), (asset, 0o666)):
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
