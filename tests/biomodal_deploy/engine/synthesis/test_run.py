"""Synthesis from the workflow's side: run the app, or answer from the cache."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from biomodal_deploy.errors import EngineError, UsageError
from tests.biomodal_deploy.engine.synthesis.conftest import Project
from tests.support.project import contents, copy_app, write_deployments


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
    assert not done.cached


def test_unchanged_input_is_answered_byte_for_byte(project: Project) -> None:
    """All that synthesis wrote is there again, with its modes, and all that it said."""
    (project.folder / "scripts" / "script.sh").chmod(0o755)
    said: list[str] = []
    project.synthesize(on_line=said.append)
    before = contents(project.output)
    modes = {path: path.stat().st_mode for path in project.output.rglob("*")}
    for path in sorted(project.output.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    done = project.synthesize(on_line=said.append)
    assert done.cached
    assert contents(project.output) == before
    assert {path: path.stat().st_mode for path in project.output.rglob("*")} == modes
    assert said == ["made with a"] * 2
    assert done.stacks[0].resources == 1


def test_an_edited_output_is_put_right(project: Project) -> None:
    """A hit leaves what a run would leave, Terraform's own files included."""
    project.synthesize()
    before = contents(project.output)
    stack = project.output / "stacks" / "one"
    stack.joinpath("cdk.tf.json").write_text("{}")
    stack.joinpath("cdk.tf").write_text("another format")
    stack.joinpath("assets", "old", "1").mkdir(parents=True)
    stack.joinpath("assets", "old", "1", "file").write_text("a former synthesis")
    stack.joinpath(".terraform").mkdir()
    stack.joinpath(".terraform", "state").write_text("Terraform's")
    assert project.synthesize().cached
    kept = {"stacks/one/.terraform/state": b"Terraform's"}
    assert contents(project.output) == before | kept
    assert not stack.joinpath("assets", "old").exists()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("cdktf.json", " "),
        ("main.py", "#"),
        ("constructs/parts.py", "PART = 'b'\n"),
        ("scripts/script.sh", "#"),
        ("settings.yaml", "new"),
    ],
)
def test_a_changed_byte_is_noticed(project: Project, path: str, text: str) -> None:
    """Whatever file of the project it is in, the app runs again; unchanged, it does not."""
    project.synthesize()
    project.append(path, text)
    assert not project.synthesize().cached
    assert part(project) == ("b" if "parts" in path else "a")
    assert project.synthesize().cached


def test_a_change_that_is_taken_back_is_no_change(project: Project) -> None:
    """Going back to an earlier input finds the earlier output."""
    project.synthesize()
    source = project.folder / "constructs" / "parts.py"
    source.write_text("PART = 'b'\n")
    project.synthesize()
    source.write_text("PART = 'a'\n")
    assert project.synthesize().cached
    assert part(project) == "a"


@pytest.mark.parametrize("name", ["CDKTF_CONTEXT_JSON", "CDKTF_OUTDIR", "STAGE"])
def test_a_changed_variable_is_noticed(project: Project, name: str, tmp_path: Path) -> None:
    """The app may read any of the environment."""
    project.synthesize()
    project.environment[name] = str(tmp_path / "elsewhere") if name == "CDKTF_OUTDIR" else "{}"
    assert not project.synthesize().cached
    assert project.synthesize().cached


def test_another_terminal_is_no_change(project: Project) -> None:
    """What only says where the user sits does not count."""
    project.synthesize()
    project.environment |= {"TERM": "dumb", "COLUMNS": "80", "SHLVL": "7"}
    assert project.synthesize().cached


def test_a_file_elsewhere_is_noticed(project: Project, tmp_path: Path) -> None:
    """What the app reads outside of the project is an input too, also where it is not there yet."""
    elsewhere = tmp_path / "elsewhere"
    project.append(
        "constructs/parts.py",
        f"import pathlib\ntry: PART = pathlib.Path({str(elsewhere)!r}).read_text()\n"
        "except FileNotFoundError: pass\n",
    )
    for text in (None, "one", "two"):
        if text:
            elsewhere.write_text(text)
        assert not project.synthesize().cached
        assert project.synthesize().cached
        assert part(project) == (text or "a")


def test_a_module_elsewhere_is_noticed(project: Project, tmp_path: Path) -> None:
    """So is a module that is not an installed package's, byte code or not."""
    library = tmp_path / "library"
    library.mkdir()
    (library / "elsewhere.py").write_text("PART = 'one'")
    project.append(
        "constructs/parts.py",
        f"import sys\nsys.path.append({str(library)!r})\nfrom elsewhere import PART\n",
    )
    for _ in range(2):
        project.synthesize()
    assert project.synthesize().cached
    (library / "elsewhere.py").write_text("PART = 'three'")
    assert not project.synthesize().cached
    assert part(project) == "three"


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import socket; socket.socket().connect_ex(('127.0.0.1', 9))", id="network"),
        pytest.param("import socket; socket.getaddrinfo('localhost', 80)", id="a name's address"),
        pytest.param("import subprocess; subprocess.run(['true'])", id="a process"),
        pytest.param("import os; os.system('true')", id="a shell"),
        pytest.param("open('cdktf.out/notes', 'w').write('x')", id="an unusual file"),
        pytest.param("open('cdktf.out/stacks/one/assets/made', 'w').write('x')", id="a made asset"),
        pytest.param("open('main.py', 'a').write('#')", id="a source that it changes"),
    ],
)
def test_in_doubt_the_app_runs(project: Project, code: str) -> None:
    """What cannot be known to be the same is not answered from the cache."""
    project.append("main.py", f"{code}\n")
    for _ in range(2):
        assert not project.synthesize().cached


def test_a_command_that_is_no_script_runs(project: Project) -> None:
    """What is not run by this Python is not observed, and so not kept."""
    (project.folder / "cdktf.json").write_text(
        json.dumps({"language": "python", "app": "python -B main.py"})
    )
    for _ in range(2):
        assert not project.synthesize().cached


def test_the_cache_can_be_passed_by(project: Project) -> None:
    """Without the cache the app runs, whatever is kept."""
    project.synthesize()
    assert not project.synthesize(use_cache=False).cached
    assert project.synthesize().cached


def test_no_cache_is_no_obstacle(project: Project, tmp_path: Path) -> None:
    """A home that cannot be written to costs time and nothing else."""
    (tmp_path / "file").touch()
    project.environment |= {"HOME": str(tmp_path / "file"), "XDG_CACHE_HOME": ""}
    for _ in range(2):
        assert not project.synthesize().cached


def test_two_at_once_run_the_app_once(project: Project) -> None:
    """The second waits, and finds what the first one wrote."""
    project.append("main.py", "import time; time.sleep(0.3)\n")
    code = (
        "import os, pathlib, biomodal_deploy.engine.synthesis as it\n"
        f"print(it.synthesize(pathlib.Path({str(project.folder)!r})).cached)"
    )

    def synthesize(_: int) -> str:
        return subprocess.run(
            [sys.executable, "-c", code],
            env=project.environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    with ThreadPoolExecutor() as threads:
        assert sorted(threads.map(synthesize, range(2))) == ["False", "True"]


def test_a_wrong_setting_is_said_in_the_apps_words(project: Project) -> None:
    """The app's own line reaches the user unchanged, and nothing is kept."""
    project.append("main.py", "print('error: vm_name: Too long.', file=sys.stderr); sys.exit(64)")
    for _ in range(2):
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


def test_an_app_without_a_manifest_is_an_error(project: Project) -> None:
    """An app that ends well and writes nothing is named for it, each time."""
    (project.folder / "main.py").write_text("pass")
    for _ in range(2):
        with pytest.raises(EngineError, match="no manifest"):
            project.synthesize()


def test_an_interrupted_app_is_reaped(project: Project) -> None:
    """Ctrl-C ends the app too, and nothing of it is kept."""
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
    assert not list(project.cache.glob("*.json"))


@pytest.mark.engine
def test_this_project_is_answered_from_the_cache(tmp_path: Path, project: Project) -> None:
    """Both stacks come back byte for byte, and a byte changed in any of their inputs is noticed."""
    folder = copy_app(tmp_path / "copy")
    write_deployments(folder, {"one": {}, "two": {"bootstrap": "native"}})
    copy = Project(folder, {**project.environment, "PYTHONPATH": str(folder / "constructs")})
    assert not copy.synthesize().cached
    before = contents(copy.output)
    assert copy.synthesize().cached
    assert contents(copy.output) == before
    for source in (
        "cdktf.json",
        "main.py",
        "scripts/install_script.sh",
        "stacks/native_stack.py",
        "constructs/biomodal_aws/key_pair.py",
    ):
        copy.append(source, "\n")
        assert not copy.synthesize().cached, source
        assert copy.synthesize().cached, source
