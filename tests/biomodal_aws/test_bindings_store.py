"""Slices that were cut once, kept in the user's cache folder."""

import os
import time
from collections.abc import Collection
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from biomodal_aws._bindings import store
from biomodal_aws._bindings.layout import PACKAGE, Bindings
from biomodal_aws._bindings.slicing import Slice


@pytest.fixture
def cuts(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """Record what is cut, in place of cutting it."""
    recorded: list[set[str]] = []

    def cut(bindings: Bindings, submodules: Collection[str]) -> Slice:
        recorded.append(set(submodules))
        names = frozenset(submodules)
        return Slice(names, {"lib/index.js": bindings.version + " ".join(sorted(names))})

    monkeypatch.setattr(store, "cut", cut)
    return recorded


@pytest.fixture
def bindings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bindings:
    """Install bindings, and a cache folder for them."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    archive = tmp_path / "archive"
    archive.write_bytes(b"all of it")
    return Bindings(ModuleSpec(PACKAGE, None), archive, "20.1.0")


def files(tmp_path: Path, pattern: str) -> list[Path]:
    """Return what the cache holds."""
    return list((tmp_path / "cache" / "biomodal-aws" / "bindings").glob(f"*/{pattern}"))


def test_a_slice_is_cut_once(bindings: Bindings, cuts: list[set[str]]) -> None:
    """The second run, and one that needs less, take what is there."""
    first = store.Store.of_user(bindings).including({"a", "b"})
    assert store.Store.of_user(bindings).including({"a", "b"}) == first
    assert store.Store.of_user(bindings).including({"a"}) == first
    assert cuts == [{"a", "b"}]


def test_a_slice_grows(bindings: Bindings, cuts: list[set[str]]) -> None:
    """What one program needs is added to what others needed."""
    store.Store.of_user(bindings).including({"a"})
    grown = store.Store.of_user(bindings).including({"b"})
    assert grown.submodules == {"a", "b"}
    assert cuts == [{"a"}, {"a", "b"}]


def test_a_slice_in_use_is_not_taken_away(
    tmp_path: Path, bindings: Bindings, cuts: list[set[str]]
) -> None:
    """Another process may still load a slice that has grown since; a day later it goes."""
    first = store.Store.of_user(bindings).including({"a"})
    store.Store.of_user(bindings).including({"b"})
    assert first.archive.exists()
    os.utime(first.archive, (0, time.time() - 2 * 24 * 3600))
    store.Store.of_user(bindings).including({"c"})
    assert not first.archive.exists()
    assert len(files(tmp_path, "*.tgz")) == 2


@pytest.mark.parametrize("pattern", ["*.tgz", "index.json"])
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-1]), id="truncated"),
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-9] + b"[]"), id="edited"),
        pytest.param(lambda path: path.unlink(), id="gone"),
        pytest.param(lambda path: path.chmod(0o660), id="open to others"),
        pytest.param(
            lambda path: os.chown(path, 65534, 65534),
            id="another user's",
            marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away"),
        ),
    ],
)
def test_a_damaged_or_foreign_slice_is_cut_anew(
    tmp_path: Path, bindings: Bindings, cuts: list[set[str]], pattern: str, damage: object
) -> None:
    """Node runs what this user wrote, byte for byte, or nothing of it."""
    kept = store.Store.of_user(bindings).including({"a"})
    content = kept.archive.read_bytes()
    (file,) = files(tmp_path, pattern)
    assert callable(damage)
    damage(file)
    assert store.Store.of_user(bindings).including({"a"}) == kept
    assert kept.archive.read_bytes() == content
    assert cuts == [{"a"}, {"a"}]
    store.Store.of_user(bindings).including({"a"})
    assert len(cuts) == 2


def test_bindings_of_another_version_have_their_own_slice(
    bindings: Bindings, cuts: list[set[str]]
) -> None:
    """Two projects with different bindings do not take each other's, or cut in turn."""
    other = Bindings(bindings.spec, bindings.archive, "21.0.0")
    first = store.Store.of_user(bindings).including({"a"})
    second = store.Store.of_user(other).including({"a"})
    assert first.archive.parent != second.archive.parent
    assert store.Store.of_user(bindings).including({"a"}) == first
    assert len(cuts) == 2


def test_bindings_that_were_generated_anew_are_others(
    bindings: Bindings, cuts: list[set[str]]
) -> None:
    """The same version number with other content behind it is noticed."""
    store.Store.of_user(bindings).including({"a"})
    bindings.archive.write_bytes(b"all of it, and more")
    store.Store.of_user(bindings).including({"a"})
    assert len(cuts) == 2
