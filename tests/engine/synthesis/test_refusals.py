"""`python main.py` where it cannot: one line, and the last good output stays."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.limits import obeying_modes, on_small_disk, small_disks_work
from tests.support.processes import run_program
from tests.support.project import app_environment, contents, run_main, write_stacks

# Each test starts the app and, in most, the Node that cdktf runs in.
pytestmark = pytest.mark.engine


def refused(project: Path, *parts: str, **options: Any) -> str:
    """Assert that the app refuses with one line and leaves the output as it was."""
    output = project / "cdktf.out"
    before = contents(output) if output.exists() else None
    done = run_main(project, **options)
    assert done.returncode == 64, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert " Fix: " in line
    for part in parts:
        assert part in line
    assert (contents(output) if output.exists() else None) == before
    return line


@pytest.mark.parametrize(
    ("stacks", "parts"),
    [
        ({"x": {"bootstrp": "native"}}, ['did you mean "bootstrap"?']),
        ({"x": {"bootstrap": "nativ"}}, ['= "nativ"', 'did you mean "native"?']),
        ({"x": {"plan_hours": "24"}}, ["plan_hours", "number"]),
        ({"X": {}}, ["lower-case letters"]),
        ({}, ["at least 1"]),
        ("x", ["object"]),
    ],
)
def test_wrong_settings_are_refused(copy: Path, stacks: object, parts: list[str]) -> None:
    """Field, value, rule and fix; the last good output stays."""
    write_stacks(copy, stacks)
    refused(copy, "cdktf.json line ", ": context.stacks", *parts)


def test_one_wrong_stack_holds_back_all(copy: Path) -> None:
    """A good stack beside a wrong one is not published alone."""
    write_stacks(copy, {"new": {"bootstrap": "native"}, "x": {"bootstrap": "nativ"}})
    refused(copy, "stacks.x.bootstrap")
    assert not (copy / "cdktf.out/stacks/new").exists()


@pytest.mark.parametrize("text", ["{", "", '{"app": "x", "context": {"stacks": {}}', "\x00"])
def test_malformed_project_files_are_refused(copy: Path, text: str) -> None:
    """Bad JSON in `cdktf.json` names the file and the place in it."""
    (copy / "cdktf.json").write_text(text)
    refused(copy, "cdktf.json", "not valid JSON", "line 1")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        # Bad JSON in the environment.
        *(("CDKTF_CONTEXT_JSON", text) for text in ("{", "[]", '"x"')),
        # The setting at fault, where jsii's own traceback does not say so.
        *(("JSII_NODE", node) for node in ("/nonexistent/node", "/tmp", "node --inspect")),
    ],
)
def test_a_wrong_variable_is_named(copy: Path, variable: str, value: str) -> None:
    """One line names what in the environment is wrong."""
    named = [value] if variable == "JSII_NODE" else []
    refused(copy, variable, *named, env={variable: value})


def test_a_missing_install_script_is_refused(copy: Path, project: Path) -> None:
    """Found after the app was built: still nothing is written, not even an empty folder."""
    (copy / "scripts/install_script.sh").unlink()
    refused(copy, "scripts/install_script.sh", "cannot be read")
    (project / "scripts/install_script.sh").unlink()
    refused(project)
    assert not (project / "cdktf.out").exists()


def test_user_data_past_ec2_s_limit_is_refused(copy: Path) -> None:
    """EC2 would refuse it after everything else was made."""
    with (copy / "scripts/install_script.sh").open("a") as script:
        script.write("#" * 16_384)
    refused(copy, "scripts/install_script.sh = ", "at most 16384 bytes")


def test_a_package_in_the_constructs_folder_is_refused(copy: Path) -> None:
    """It would shadow the PyPI package and fail with words about `constructs._jsii`."""
    (copy / "constructs/__init__.py").touch()
    refused(copy, "constructs/__init__.py", "shadows", "delete the file")


def test_a_file_in_the_output_s_place_is_refused(copy: Path) -> None:
    """The line names what is in the way."""
    output = copy / "file"
    output.write_text("mine")
    refused(copy, str(output), "cannot be written", env={"CDKTF_OUTDIR": str(output)})
    refused(copy, str(output), "cannot be written", env={"CDKTF_OUTDIR": str(output / "below")})
    assert output.read_text() == "mine"


def _run_bound_by_modes(project: Path) -> subprocess.CompletedProcess[str]:
    return run_program(
        [sys.executable, "main.py"],
        cwd=project,
        env=app_environment(project),
        timeout=120,
        preexec_fn=obeying_modes(),
    )


@pytest.mark.skipif(
    sys.platform != "linux" and os.geteuid() == 0, reason="root obeys no mode on this system"
)
@pytest.mark.parametrize("place", ["cdktf.out", "cdktf.out/stacks/native", "."])
def test_no_write_permission_is_refused(copy: Path, place: str) -> None:
    """A folder of another owner, at any depth: one line, and the good output stays whole."""
    before = contents(copy / "cdktf.out")
    if place == ".":
        shutil.rmtree(copy / "cdktf.out")
        before = {}
    (copy / "scripts/install_script.sh").write_text("#!/bin/sh\n")
    folder = copy / place
    folder.chmod(0o555)
    try:
        done = _run_bound_by_modes(copy)
    finally:
        folder.chmod(0o755)
    assert done.returncode == 64, done.stderr
    (line,) = done.stderr.splitlines()
    assert "Permission denied" in line
    assert "CDKTF_OUTDIR" in line
    if place != "cdktf.out/stacks/native":
        assert contents(copy / "cdktf.out") == before


def _line_on_small_disk(project: Path, disk: Path, variable: str, size: str) -> tuple[int, str]:
    """Run the app where a variable names a disk of that size; return its status and one line."""
    disk.mkdir()
    if not small_disks_work(disk):
        pytest.skip("this machine lets nobody mount a disk of their own")
    done = run_program(
        on_small_disk(disk, [sys.executable, "main.py"], size=size),
        cwd=project,
        env=app_environment(project, {variable: str(disk)}),
        timeout=120,
    )
    (line,) = done.stderr.splitlines()
    return done.returncode, line


@pytest.mark.parametrize("size", ["4k", "16k", "40k"])
def test_a_full_disk_is_refused(copy: Path, tmp_path: Path, size: str) -> None:
    """Whatever part of it the disk takes: one line about the disk, and no traceback."""
    status, line = _line_on_small_disk(copy, tmp_path / "disk", "CDKTF_OUTDIR", size)
    assert status == 64
    assert "o space left on device" in line


def test_a_full_temporary_folder_is_one_line(copy: Path, tmp_path: Path) -> None:
    """Node is started from there, by jsii too: nothing is tried twice, and nothing is written."""
    before = contents(copy / "cdktf.out")
    status, line = _line_on_small_disk(copy, tmp_path / "disk", "TMPDIR", "64k")
    assert status == 1
    assert line.startswith("error: Node, which runs the constructs, cannot be started (No space")
    assert "TMPDIR" in line
    assert contents(copy / "cdktf.out") == before


def test_wrong_settings_are_answered_without_node(copy: Path) -> None:
    """The answer does not wait for jsii, and comes where there is no Node at all."""
    write_stacks(copy, {"x": {"bootstrap": "nativ"}})
    refused(copy, env={"JSII_NODE": "/nonexistent", "BIOMODAL_NODE": "/nonexistent"})


@pytest.mark.parametrize("output", ["", ".", "stacks/.."])
def test_the_output_is_not_written_among_the_sources(copy: Path, output: str) -> None:
    """The app's own `stacks` would get the output into it, and have old files taken out of it."""
    _set_output(copy, output)
    before = contents(copy)
    refused(copy, "the project's own", "`output` in cdktf.json")
    assert contents(copy).keys() == before.keys()


def test_a_path_that_no_system_has_is_refused(copy: Path) -> None:
    """One line, where Python would raise an error without a file's name in it."""
    _set_output(copy, "a\0b")
    refused(copy, "cdktf.json line ", ": output", "NUL")


def test_a_byte_order_mark_is_called_that(copy: Path) -> None:
    """Editors add it unseen: nobody is sent to look for a comma."""
    path = copy / "cdktf.json"
    path.write_text("\ufeff" + path.read_text())
    refused(copy, "byte order mark")


def test_a_node_that_ends_at_once_is_one_line(copy: Path) -> None:
    """Whatever is started in Node's place, or Node refuses to start with, there is no traceback."""
    done = run_main(copy, env={"JSII_NODE": "false"})
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: Node ended")
    assert "JSII_NODE" in line


def _set_output(project: Path, output: str) -> None:
    path = project / "cdktf.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"output": output}))
