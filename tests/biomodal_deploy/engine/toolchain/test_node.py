"""Which Node is chosen, and what is said where none can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from biomodal_deploy.engine.toolchain import node as module
from biomodal_deploy.engine.toolchain.node import embedded_node, find_node, node_environment
from biomodal_deploy.errors import UsageError
from tests.support.programs import shell_program


def fake_node(folder: Path, version: str) -> Path:
    """Make a program that answers like this version of node."""
    return shell_program(folder / "node", f"echo {version}")


def test_new_enough_node_on_path_is_taken(tmp_path: Path) -> None:
    """Whoever has a good Node keeps it."""
    path = fake_node(tmp_path, "v22.1.0")
    found = find_node({"PATH": str(tmp_path)})
    assert (found.path, found.version, found.source) == (path, "22.1.0", "path")


@pytest.mark.parametrize("version", ["v20.20.2", "rubbish", "v8.0.0\necho more"])
def test_embedded_node_replaces_an_unfit_one(tmp_path: Path, version: str) -> None:
    """Too old or broken on PATH: the embedded one serves, and the reason says what was wrong."""
    path = fake_node(tmp_path, version)
    found = find_node({"PATH": str(tmp_path)})
    assert (found.path, found.source) == (embedded_node(), "embedded")
    assert str(path) in found.reason


def test_settings_go_first(tmp_path: Path) -> None:
    """BIOMODAL_NODE, then JSII_NODE, then PATH."""
    ours = fake_node(tmp_path / "ours", "v24.0.0")
    theirs = fake_node(tmp_path / "theirs", "v23.0.0")
    environ = {"PATH": "/usr/bin:/bin", "JSII_NODE": str(theirs)}
    assert find_node(environ).path == theirs
    assert find_node({**environ, "BIOMODAL_NODE": str(ours)}).reason == "set by BIOMODAL_NODE"


@pytest.mark.parametrize(
    ("version", "rule"), [("v20.0.0", "older than 22"), ("hello", "does not answer as node")]
)
def test_unfit_setting_is_an_error(tmp_path: Path, version: str, rule: str) -> None:
    """An explicit choice is never passed over in silence."""
    path = fake_node(tmp_path, version)
    with pytest.raises(UsageError, match=f"BIOMODAL_NODE = .*{rule}.* Fix: ") as info:
        find_node({"PATH": "", "BIOMODAL_NODE": str(path)})
    assert "\n" not in str(info.value)


def test_missing_setting_is_an_error(tmp_path: Path) -> None:
    """A setting that names no program says so."""
    with pytest.raises(UsageError, match=r"JSII_NODE = .*not an executable"):
        find_node({"PATH": "", "JSII_NODE": str(tmp_path / "none")})


def test_no_node_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Node anywhere the line says which install brings it."""
    monkeypatch.setattr(module, "embedded_node", lambda: None)
    with pytest.raises(
        UsageError, match=r"no supported Node.js found \(no node on PATH\).*pip install"
    ):
        find_node({"PATH": ""})


def test_children_find_the_chosen_node() -> None:
    """The runtime reads JSII_NODE; scripts that start `node` find it first on PATH."""
    found = find_node({"PATH": ""})
    variables = node_environment(found, {"PATH": "/usr/bin"})
    assert variables["JSII_NODE"] == str(found.path)
    assert variables["PATH"] == f"{found.path.parent if found.path else None}:/usr/bin"
