"""npm on the chosen Node."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from biomodal_deploy.engine.toolchain import npm as module
from biomodal_deploy.engine.toolchain.npm import npm_command
from biomodal_deploy.engine.toolchain.tool import Source, Tool
from biomodal_deploy.errors import UsageError
from tests.support.programs import shell_program

MODULE = [sys.executable, "-m", "biomodal_deploy.engine.toolchain.npm"]


def npm(environment: dict[str, str], *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run npm as a command."""
    return subprocess.run(
        [*MODULE, *words], env=environment, capture_output=True, text=True, **more
    )


def node(folder: Path, source: Source = "setting") -> Tool:
    """Return a Node in a folder."""
    return Tool("node", folder / "node", "24.0.0", source, "")


def test_npm_of_a_good_node_on_path_is_used(tmp_path: Path) -> None:
    """PATH's npm goes with PATH's node, and its exit status is ours."""
    shell_program(tmp_path / "node", "echo v22.0.0")
    shell_program(tmp_path / "npm", 'echo "$@"; exit 7')
    done = npm({"PATH": str(tmp_path)}, "ci", "a b")
    assert (done.returncode, done.stdout) == (7, "ci a b\n")


def test_npm_beside_an_explicit_node_is_used(tmp_path: Path) -> None:
    """An explicit Node brings its own npm where it has one."""
    beside = shell_program(tmp_path / "npm", "true")
    assert npm_command(node(tmp_path), {"PATH": "/usr/bin"}) == [str(beside)]


def test_embedded_npm_serves_a_node_without_one(tmp_path: Path) -> None:
    """Node without npm runs the embedded npm's script."""
    command = npm_command(node(tmp_path), {"PATH": ""})
    assert command[0] == str(tmp_path / "node")
    assert Path(command[1]).is_file()


def test_no_npm_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without npm anywhere the line says so."""
    monkeypatch.setattr(module, "embedded_package", lambda: None)
    with pytest.raises(UsageError, match=r"npm: no npm beside .* Fix: "):
        npm_command(node(tmp_path, "path"), {"PATH": ""})


def test_unfit_setting_ends_with_one_line() -> None:
    """As a command: one line on standard error, status 64, no traceback."""
    done = npm({"PATH": "", "BIOMODAL_NODE": "/nonexistent"}, "ci")
    assert done.returncode == 64
    assert done.stderr.startswith("error: BIOMODAL_NODE = ")
    assert done.stderr.count("\n") == 1


@pytest.mark.engine
def test_embedded_npm_runs_scripts_on_the_embedded_node(tmp_path: Path) -> None:
    """A package's scripts see the chosen Node, not an older one on PATH."""
    shell_program(tmp_path / "bin" / "node", "echo v20.0.0")
    (tmp_path / "package.json").write_text('{"scripts": {"v": "node --version"}}')
    environment = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "HOME": str(tmp_path)}
    done = npm(environment, "run", "--silent", "v", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.strip().removeprefix("v").split(".")[0]) >= 22
