"""npm on the chosen Node."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from biomodal_deploy.engine.toolchain import npm as module
from biomodal_deploy.engine.toolchain.npm import npm_command
from biomodal_deploy.engine.toolchain.tool import Tool
from biomodal_deploy.errors import UsageError

MODULE = [sys.executable, "-m", "biomodal_deploy.engine.toolchain.npm"]


def fake(folder: Path, name: str, body: str) -> Path:
    """Make a shell program."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_npm_of_a_good_node_on_path_is_used(tmp_path: Path) -> None:
    """PATH's npm goes with PATH's node, and its exit status is ours."""
    fake(tmp_path, "node", "echo v22.0.0")
    fake(tmp_path, "npm", 'echo "$@"; exit 7')
    done = subprocess.run(
        [*MODULE, "ci", "a b"], env={"PATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (7, "ci a b\n")


def test_npm_beside_an_explicit_node_is_used(tmp_path: Path) -> None:
    """An explicit Node brings its own npm where it has one."""
    npm = fake(tmp_path, "npm", "true")
    tool = Tool("node", tmp_path / "node", "24.0.0", "setting", "")
    assert npm_command(tool, {"PATH": "/usr/bin"}) == [str(npm)]


def test_embedded_npm_serves_a_node_without_one(tmp_path: Path) -> None:
    """Node without npm runs the embedded npm's script."""
    tool = Tool("node", tmp_path / "node", "24.0.0", "setting", "")
    command = npm_command(tool, {"PATH": ""})
    assert command[0] == str(tmp_path / "node")
    assert Path(command[1]).is_file()


def test_no_npm_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without npm anywhere the line says so."""
    monkeypatch.setattr(module, "embedded_package", lambda: None)
    with pytest.raises(UsageError, match=r"npm: no npm beside .* Fix: "):
        npm_command(Tool("node", tmp_path / "node", "24.0.0", "path", ""), {"PATH": ""})


def test_unfit_setting_ends_with_one_line() -> None:
    """As a command: one line on standard error, status 64, no traceback."""
    done = subprocess.run(
        [*MODULE, "ci"],
        env={"PATH": "", "BIOMODAL_NODE": "/nonexistent"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 64
    assert done.stderr.startswith("error: BIOMODAL_NODE = ")
    assert done.stderr.count("\n") == 1


@pytest.mark.engine
def test_embedded_npm_runs_scripts_on_the_embedded_node(tmp_path: Path) -> None:
    """A package's scripts see the chosen Node, not an older one on PATH."""
    fake(tmp_path / "bin", "node", "echo v20.0.0")
    (tmp_path / "package.json").write_text('{"scripts": {"v": "node --version"}}')
    done = subprocess.run(
        [*MODULE, "run", "--silent", "v"],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.strip().removeprefix("v").split(".")[0]) >= 22
