"""Folders that nobody else can write to, or put another in the place of."""

import os
import stat
from pathlib import Path

import pytest

from biomodal_deploy import folders

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def mode(path: Path) -> int:
    """Return a file's permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_is_private_all_the_way(tmp_path: Path) -> None:
    """Not even a permissive umask opens a folder on the way."""
    before = os.umask(0)
    try:
        made = folders.private_folder(tmp_path / "home" / ".cache", "a", "b")
    finally:
        os.umask(before)
    assert made == (tmp_path / "home" / ".cache" / "a" / "b").resolve()
    for path in (made, made.parent, made.parent.parent, made.parent.parent.parent):
        assert mode(path) == 0o700


def test_a_private_folder_keeps_its_files(tmp_path: Path) -> None:
    """Opening a folder again changes nothing in it."""
    kept = folders.private_folder(tmp_path, "a") / "kept"
    kept.touch()
    assert folders.private_folder(tmp_path, "a") == kept.parent
    assert kept.exists()


def test_an_open_folder_is_made_anew(tmp_path: Path) -> None:
    """Others could have put files into a folder that they can write to."""
    planted = folders.private_folder(tmp_path, "a") / "planted"
    planted.touch()
    planted.parent.chmod(0o770)
    assert list(folders.private_folder(tmp_path, "a").iterdir()) == []
    assert list(tmp_path.iterdir()) == [planted.parent]


@needs_root
def test_a_foreign_folder_is_made_anew(tmp_path: Path) -> None:
    """Another user's folder is not used, whatever its mode."""
    planted = folders.private_folder(tmp_path, "a") / "planted"
    planted.touch()
    os.chown(planted.parent, NOBODY, NOBODY)
    made = folders.private_folder(tmp_path, "a")
    assert list(made.iterdir()) == []
    assert made.stat().st_uid == os.geteuid()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """A link in the folder's place is replaced; what it leads to is left alone."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").touch()
    (tmp_path / "a").symlink_to(elsewhere)
    made = folders.private_folder(tmp_path, "a")
    assert not made.is_symlink()
    assert (elsewhere / "file").exists()


def test_a_folder_below_an_open_one_is_refused(tmp_path: Path) -> None:
    """Who can write to a parent can exchange what is in it."""
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(folders.UntrustedError, match="chmod go-w"):
        folders.private_folder(tmp_path / "open", "a")


@needs_root
def test_a_folder_below_a_foreign_one_is_refused(tmp_path: Path) -> None:
    """So can who owns a parent."""
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", NOBODY, NOBODY)
    with pytest.raises(folders.UntrustedError, match="another user"):
        folders.private_folder(tmp_path / "theirs", "a")


def test_the_cache_home_is_the_users_choice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An absolute XDG_CACHE_HOME is used; a relative one is ignored, as its specification says."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    made = folders.cache_folder("a")
    assert made == tmp_path / "elsewhere" / "biomodal-aws" / "a"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert folders.cache_folder("a") != made
    assert folders.cache_folder("a").is_relative_to(tmp_path)
