"""Synthesis from the workflow's side: run the app, and read what it wrote."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from biomodal_deploy.config.settings import read_project_file
from biomodal_deploy.engine.synthesis import App, Synthesis, synthesize
from biomodal_deploy.errors import EngineError, UsageError
from tests.support.light import LightProject
from tests.support.programs import shell_program
from tests.support.project import contents, copy_app, write_stacks

MAIN = """
import json, os, pathlib, shutil, sys
sys.path.append("constructs")
from parts import PART
out = pathlib.Path(os.environ.get("CDKTF_OUTDIR", "cdktf.out"))
stack = out / "stacks" / "one"
(stack / "assets" / "script").mkdir(parents=True, exist_ok=True)
shutil.copy("scripts/script.sh", stack / "assets" / "script" / "script.sh")
text = json.dumps({"resource": {"kind": {"name": {"part": PART}}}})
(stack / "cdk.tf.json").write_text(text)
manifest = {"stacks": {"one": {"name": "one", "workingDirectory": "stacks/one"}}}
(out / "manifest.json").write_text(json.dumps(manifest))
print("made with", PART)
"""


@dataclass
class Project:
    """A project with an app, and a user who synthesizes it."""

    folder: Path
    environment: dict[str, str]

    @property
    def output(self) -> Path:
        """What synthesis writes to."""
        return self.folder / "cdktf.out"

    def synthesize(self, *, on_line: Callable[[str], None] | None = None) -> Synthesis:
        """Synthesize it."""
        return synthesize(self.folder, on_line=on_line, environment=self.environment)

    def append(self, path: str, text: str) -> None:
        """Add to one of its files."""
        with (self.folder / path).open("a") as file:
            file.write(text)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Write the project."""
    folder = tmp_path / "project"
    files = {
        "cdktf.json": '{"language": "python", "app": "python main.py", "context": {}}',
        "constructs/parts.py": "PART = 'a'\n",
        "main.py": MAIN,
        "scripts/script.sh": "#!/bin/sh\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    environment = {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    return Project(folder, environment)


def part(project: Project) -> str:
    """Return what the app put into its JSON."""
    text = (project.output / "stacks" / "one" / "cdk.tf.json").read_text()
    found: str = json.loads(text)["resource"]["kind"]["name"]["part"]
    return found


def test_what_was_written_is_returned(project: Project) -> None:
    """Each stack comes with its folder and how many resources it has."""
    done = project.synthesize()
    (stack,) = done.stacks
    assert (stack.name, stack.resources) == ("one", 1)
    assert stack.directory == project.output / "stacks" / "one"


def test_the_app_runs_each_time(project: Project) -> None:
    """What an earlier synthesis left does not matter, and every line of the app is passed on."""
    lines: list[str] = []
    project.synthesize(on_line=lines.append)
    (project.output / "stacks" / "one" / "cdk.tf.json").write_text("{}")
    assert project.synthesize(on_line=lines.append).stacks[0].resources == 1
    assert part(project) == "a"
    project.append("constructs/parts.py", "PART = 'b'\n")
    project.synthesize(on_line=lines.append)
    assert part(project) == "b"
    assert lines == ["made with a", "made with a", "made with b"]


def test_no_home_is_no_obstacle(project: Project, tmp_path: Path) -> None:
    """A home that cannot be written to changes nothing."""
    (tmp_path / "file").touch()
    project.environment |= {"HOME": str(tmp_path / "file"), "XDG_CACHE_HOME": ""}
    assert project.synthesize().stacks[0].resources == 1


def test_a_wrong_setting_is_said_in_the_apps_words(project: Project) -> None:
    """The app's own line reaches the user unchanged."""
    project.append("main.py", "print('error: vm_name: Too long.', file=sys.stderr); sys.exit(64)")
    with pytest.raises(UsageError) as caught:
        project.synthesize()
    assert str(caught.value) == "vm_name: Too long."


def test_a_failure_names_its_log(project: Project) -> None:
    """Where the app breaks, one line says so, and all that it printed is in a private file."""
    project.append("main.py", "print('on the way'); 1 / 0")
    with pytest.raises(EngineError, match="ZeroDivisionError") as caught:
        project.synthesize()
    log = caught.value.log
    assert log is not None
    assert "on the way" in log.read_text()
    assert "Traceback" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("command", ["", "no-such-program main.py", "python 'main.py"])
def test_a_command_that_cannot_run_is_a_wrong_setting(project: Project, command: str) -> None:
    """The setting is named, and there is no traceback."""
    text = json.dumps({"language": "python", "app": command})
    (project.folder / "cdktf.json").write_text(text)
    with pytest.raises((UsageError, EngineError)):
        project.synthesize()


def test_a_limit_of_open_files_is_no_wrong_setting(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is named, and how to raise it: another program could not be started either."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(UsageError, match=r"Too many open files.*ulimit -n"):
        project.synthesize()


def test_an_app_without_a_manifest_is_an_error(project: Project) -> None:
    """An app that ends well and writes nothing is named for it."""
    (project.folder / "main.py").write_text("pass")
    with pytest.raises(EngineError, match="no manifest"):
        project.synthesize()


@pytest.mark.slow
def test_an_interrupted_app_is_reaped(project: Project) -> None:
    """Ctrl-C ends the app too."""
    pid = project.folder / "pid"
    project.append("main.py", "import time; print(os.getpid(), flush=True); time.sleep(60)\n")
    code = (
        "import pathlib, biomodal_deploy.engine.synthesis as it\n"
        f"pid = pathlib.Path({str(pid)!r})\n"
        "tell = lambda line: line.isdigit() and pid.write_text(line)\n"
        f"it.synthesize(pathlib.Path({str(project.folder)!r}), on_line=tell)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=project.environment, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 20
    while not pid.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert b"Interrupted" in said
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


@pytest.mark.engine
def test_this_project_is_the_same_each_time(tmp_path: Path, project: Project) -> None:
    """Unchanged, both stacks come out byte for byte, so that a plan of them stays the same."""
    folder = copy_app(tmp_path / "copy")
    write_stacks(folder, {"one": {}, "two": {"bootstrap": "native"}})
    copy = Project(folder, {**project.environment, "PYTHONPATH": str(folder / "constructs")})
    copy.synthesize()
    before = contents(copy.output)
    copy.synthesize()
    assert contents(copy.output) == before


def app_with(folder: Path, environment: dict[str, str]) -> App:
    """Return a project's app command in this environment."""
    LightProject(folder)
    return App.of(read_project_file(folder), folder, environment)


def test_our_own_setting_names_jsii_s_node(tmp_path: Path) -> None:
    """BIOMODAL_NODE is what runs, and goes before JSII_NODE, as `doctor --toolchain` says."""
    node = shell_program(tmp_path / "node", "echo v24.1.0")
    environment = {"BIOMODAL_NODE": str(node), "JSII_NODE": "/elsewhere/node", "PATH": "/bin"}
    assert app_with(tmp_path, environment).environment["JSII_NODE"] == str(node)


def test_a_node_that_is_none_is_refused(tmp_path: Path) -> None:
    """One line that names the setting, and no other Node in its place."""
    with pytest.raises(UsageError, match=r'^BIOMODAL_NODE = "/nope": .* Fix: '):
        app_with(tmp_path, {"BIOMODAL_NODE": "/nope"})


def test_without_our_setting_the_environment_is_left_alone(tmp_path: Path) -> None:
    """The app then chooses by itself."""
    assert "JSII_NODE" not in app_with(tmp_path, {}).environment
    assert app_with(tmp_path, {"JSII_NODE": "/x"}).environment["JSII_NODE"] == "/x"
