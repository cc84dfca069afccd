"""What is kept of a synthesis, for whom, and for how long."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from biomodal_deploy.engine.synthesis import cache as module
from biomodal_deploy.engine.synthesis import clear_cache
from biomodal_deploy.engine.synthesis.cache import Cache, Entry
from biomodal_deploy.engine.synthesis.inputs import Inputs
from biomodal_deploy.engine.synthesis.written import File

ENTRY = Entry(read={}, lines=("said",), files=(File(path="a", mode=0o600, content=b"\xff\0"),))


def inputs(key: str = "key") -> Inputs:
    """Return an input."""
    return Inputs(key, frozenset(), Path("/project"), Path("/project/cdktf.out"))


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Give a user a cache folder."""
    return {"XDG_CACHE_HOME": str(tmp_path)}


@pytest.fixture
def cache(environment: dict[str, str]) -> Cache:
    """Open the user's cache."""
    return Cache.of_user(environment)


def entries(tmp_path: Path) -> list[Path]:
    """Return the files of the entries."""
    return list(tmp_path.glob("biomodal-aws/synthesis/*.json"))


def test_an_entry_comes_back_as_it_was(cache: Cache) -> None:
    """Whatever bytes a file has."""
    cache.keep(inputs(), ENTRY)
    assert cache.find(inputs()) == ENTRY
    assert cache.find(inputs("another")) is None


def test_entries_are_private(tmp_path: Path, cache: Cache) -> None:
    """Nobody else can read what was synthesized."""
    cache.keep(inputs(), ENTRY)
    (entry,) = entries(tmp_path)
    assert stat.S_IMODE(entry.stat().st_mode) == 0o600
    assert stat.S_IMODE(entry.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(entry.parent.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-1]), id="truncated"),
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(
            lambda path: path.write_bytes(path.read_bytes().replace(b"said", b"SAID")), id="edited"
        ),
        pytest.param(lambda path: path.chmod(0o644), id="open to others"),
        pytest.param(
            lambda path: os.chown(path, 65534, 65534),
            id="another user's",
            marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away"),
        ),
    ],
)
def test_a_damaged_entry_is_none(
    tmp_path: Path, cache: Cache, damage: Callable[[Path], object]
) -> None:
    """It is not used, and the next one takes its place."""
    cache.keep(inputs(), ENTRY)
    damage(entries(tmp_path)[0])
    assert cache.find(inputs()) is None
    cache.keep(inputs(), ENTRY)
    assert cache.find(inputs()) == ENTRY


def test_an_entry_holds_while_what_was_read_is_the_same(tmp_path: Path, cache: Cache) -> None:
    """A file that the app read elsewhere is compared, also one that was not there."""
    absent = tmp_path / "absent"
    cache.keep(inputs(), ENTRY.model_copy(update={"read": {str(absent): None}}))
    assert cache.find(inputs()) is not None
    absent.touch()
    assert cache.find(inputs()) is None


def test_old_entries_go(tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    """There are never more than a few, and the ones in use stay."""
    monkeypatch.setattr(module, "_MOST", 2)
    monkeypatch.setattr(module, "_OLDEST_S", 1e12)
    for number in range(2):
        cache.keep(inputs(str(number)), ENTRY)
        os.utime(tmp_path / "biomodal-aws" / "synthesis" / f"{number}.json", (0, 1e9 + number))
    assert cache.find(inputs("0")) is not None  # and is the younger one by that
    cache.keep(inputs("2"), ENTRY)
    assert {path.stem for path in entries(tmp_path)} == {"0", "2"}
    monkeypatch.setattr(module, "_OLDEST_S", -60)
    cache.keep(inputs("3"), ENTRY)
    assert not entries(tmp_path)


def test_a_vast_entry_is_not_kept(
    tmp_path: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A synthesis with large assets runs each time."""
    monkeypatch.setattr(module, "_LARGEST", 10)
    cache.keep(inputs(), ENTRY)
    assert not entries(tmp_path)


def test_clearing_leaves_nothing(tmp_path: Path, environment: dict[str, str], cache: Cache) -> None:
    """All entries and slices go, and how much that was is said."""
    cache.keep(inputs(), ENTRY)
    slices = tmp_path / "biomodal-aws" / "bindings" / "1"
    slices.mkdir(parents=True)
    (slices / "slice.tgz").write_bytes(b"x" * 5000)
    (tmp_path / "another-programs").touch()
    assert clear_cache(environment) > 5000
    assert not entries(tmp_path)
    assert not slices.exists()
    assert (tmp_path / "another-programs").exists()
    assert Cache.of_user(environment).find(inputs()) is None
