"""Everything that synthesis depends on, as one digest."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from biomodal_deploy.engine.synthesis import inputs
from tests.biomodal_deploy.engine.synthesis.conftest import Project


def key(project: Project) -> str:
    """Return the project's digest."""
    found = inputs.current(
        project.folder, ["python", "main.py"], project.output, project.environment
    )
    return found.key


def test_the_digest_of_the_same_is_the_same(project: Project) -> None:
    """Asking twice gives one answer."""
    assert key(project) == key(project)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda folder: (folder / "main.py").write_text(""), id="a file's content"),
        pytest.param(lambda folder: (folder / "main.py").chmod(0o755), id="a file's mode"),
        pytest.param(lambda folder: (folder / "main.py").rename(folder / "app.py"), id="a name"),
        pytest.param(lambda folder: (folder / "main.py").unlink(), id="a file less"),
        pytest.param(lambda folder: (folder / "empty").touch(), id="a file more"),
        pytest.param(lambda folder: (folder / "scripts" / "plans").touch(), id="a file of a name"),
        pytest.param(lambda folder: (folder / "link").symlink_to("main.py"), id="a link"),
    ],
)
def test_a_change_in_the_project_counts(project: Project, change: Callable[[Path], object]) -> None:
    """Whatever changes in a file or in which files there are."""
    before = key(project)
    change(project.folder)
    assert key(project) != before


@pytest.mark.parametrize(
    "path",
    [
        ".git/index",
        "cdktf.out/manifest.json",
        "constructs/__pycache__/parts.cpython-311.pyc",
        "node_modules/a/index.js",
        "plans/one/plan",
        "state/one.tfstate",
    ],
)
def test_what_tools_write_does_not_count(project: Project, path: str) -> None:
    """A plan, a state or a commit is no reason to synthesize anew."""
    before = key(project)
    (project.folder / path).parent.mkdir(parents=True)
    (project.folder / path).touch()
    assert key(project) == before


def test_a_virtual_environment_does_not_count(project: Project) -> None:
    """Whatever its name: what is installed in it does, by version."""
    before = key(project)
    (project.folder / "env").mkdir()
    (project.folder / "env" / "pyvenv.cfg").touch()
    assert key(project) == before


def test_the_versions_count(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another Python, another package or another Node is another input."""
    packages = project.folder.parent / "site-packages"
    (packages / "cdktf-0.21.0.dist-info").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [*sys.path, str(packages)])
    node = project.folder.parent / "bin" / "node"
    node.parent.mkdir()
    node.write_text("one")
    node.chmod(0o755)
    project.environment["PATH"] = str(node.parent)
    keys = [key(project)]
    (packages / "cdktf-0.21.0.dist-info").rename(packages / "cdktf-0.22.0.dist-info")
    keys.append(key(project))
    node.write_text("another")
    keys.append(key(project))
    project.environment["JSII_NODE"] = "/elsewhere/node"
    keys.append(key(project))
    monkeypatch.setattr(sys, "version", "3.99")
    keys.append(key(project))
    assert len(set(keys)) == 5


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(lambda path: os.mkfifo(path), id="a pipe"),
        pytest.param(lambda path: path.symlink_to("scripts"), id="a link to a folder"),
        pytest.param(lambda path: path.symlink_to("nowhere"), id="a link to nowhere"),
    ],
)
def test_what_cannot_be_read_is_a_doubt(project: Project, odd: Callable[[Path], object]) -> None:
    """Neither file nor folder: nobody knows what an app makes of it."""
    odd(project.folder / "odd")
    with pytest.raises(inputs.InDoubt):
        key(project)


def test_a_vast_project_is_a_doubt(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading it all would take longer than running the app."""
    monkeypatch.setattr(inputs, "_MOST_FILES", 3)
    with pytest.raises(inputs.InDoubt, match="too large"):
        key(project)


def test_a_state_stands_for_content(tmp_path: Path) -> None:
    """A file by its bytes, a folder by its names, and neither by its time."""
    (tmp_path / "file").write_text("one")
    before = [inputs.state(tmp_path), inputs.state(tmp_path / "file")]
    os.utime(tmp_path / "file", (0, 0))
    assert [inputs.state(tmp_path), inputs.state(tmp_path / "file")] == before
    (tmp_path / "file").write_text("two")
    (tmp_path / "more").touch()
    after = [inputs.state(tmp_path), inputs.state(tmp_path / "file")]
    assert not set(after) & set(before)
    assert inputs.state(tmp_path / "nothing") is None
