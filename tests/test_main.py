"""`python main.py`: the same bytes everywhere, and nothing but one line where it cannot."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from tests.support.limits import obeying_modes, on_small_disk, small_disks_work
from tests.support.project import (
    app_environment,
    contents,
    copy_app,
    run_main,
    stack_json,
    write_stacks,
)

# Each test starts the app and, in most, the Node that cdktf runs in.
pytestmark = pytest.mark.engine

BOTH: Final = {"biomodal-aws": {"bootstrap": "module"}, "native": {"bootstrap": "native"}}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout of the app in another folder."""
    return copy_app(tmp_path / "checkout")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with both implementations, synthesized once; tests that change it copy it."""
    project = copy_app(tmp_path_factory.mktemp("good") / "checkout")
    write_stacks(project, BOTH)
    done = run_main(project)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return project


@pytest.fixture
def copy(good: Path, tmp_path: Path) -> Path:
    """That checkout with its good output, to break."""
    return shutil.copytree(good, tmp_path / "copy")


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


def test_the_shipped_settings_synthesize_the_documented_stack(project: Path) -> None:
    """A fresh clone, nothing set: the documented stack and no other, without a word."""
    done = run_main(project)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [path.name for path in (project / "cdktf.out" / "stacks").iterdir()] == ["biomodal-aws"]
    module = stack_json(project / "cdktf.out", "biomodal-aws")["module"]["bootstrap"]
    assert "terraform-aws-bootstrap" in module["source"]


def test_the_same_bytes_from_any_folder(good: Path, project: Path, tmp_path: Path) -> None:
    """Another checkout, another working directory, another user's home: not one byte differs."""
    write_stacks(project, BOTH)
    environment = {"USER": "someone", "LANG": "C", "TZ": "Asia/Tokyo"}
    done = run_main(project, cwd=tmp_path, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert contents(project / "cdktf.out") == contents(good / "cdktf.out")
    assert not (tmp_path / "cdktf.out").exists()


def test_terraform_refuses_another_stack_s_values(project: Path) -> None:
    """Cdktf reads the project's terraform.tfvars for every stack: it says what to pass instead."""
    write_stacks(
        project,
        {
            "native": {"bootstrap": "native"},
            "dev": {"bootstrap": "native", "var_files": ["d.tfvars"]},
        },
    )
    shared = 'vm_name = "lab"\nregion = "eu-west-2"\n'
    (project / "terraform.tfvars").write_text(shared)
    (project / "d.tfvars").write_text('vm_name = "dev"\n')
    assert run_main(project).returncode == 0
    variables = stack_json(project / "cdktf.out", "dev")["variable"]
    added = variables["vm_name"]["validation"][-1]
    assert added["condition"] == '${var.vm_name != "lab"}'
    assert "--var-file=d.tfvars" in added["error_message"]
    # What the stack's own file leaves to the project's is its own too.
    plain = stack_json(project / "cdktf.out", "native")["variable"]
    assert variables["region"] == plain["region"]
    assert "lab" not in json.dumps(plain)


def test_again_writes_the_same_bytes(copy: Path) -> None:
    """A second synthesis changes nothing, and keeps what Terraform put beside it."""
    before = contents(copy / "cdktf.out")
    stack = copy / "cdktf.out" / "stacks" / "native"
    (stack / ".terraform").mkdir()
    (stack / ".terraform" / "environment").write_text("default")
    (stack / ".terraform.lock.hcl").write_text("# locked")
    (stack / "tfplan").write_text("plan")
    assert run_main(copy).returncode == 0
    after = contents(copy / "cdktf.out")
    assert {name: after.pop(f"stacks/native/{name}") for name in ("tfplan",)} == {"tfplan": b"plan"}
    assert after.pop("stacks/native/.terraform.lock.hcl") == b"# locked"
    assert after.pop("stacks/native/.terraform/environment") == b"default"
    assert after == before


def test_settings_from_the_environment(project: Path, tmp_path: Path) -> None:
    """cdktf's own CDKTF_CONTEXT_JSON and CDKTF_OUTDIR work as usual."""  # noqa: D403
    context = {"stacks": {"other": {"bootstrap": "native"}}}
    output = tmp_path / "elsewhere" / "out"
    done = run_main(
        project, env={"CDKTF_CONTEXT_JSON": json.dumps(context), "CDKTF_OUTDIR": str(output)}
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in (output / "stacks").iterdir()] == ["other"]
    assert not (project / "cdktf.out").exists()


def test_a_stack_s_name_is_in_its_backend_and_metadata_only(good: Path, copy: Path) -> None:
    """Addresses do not hold it: two stacks of one implementation differ in their state."""
    write_stacks(copy, {"eu-production": {"bootstrap": "native"}})
    assert run_main(copy).returncode == 0
    renamed = (copy / "cdktf.out/stacks/eu-production/cdk.tf.json").read_text()
    original = (good / "cdktf.out/stacks/native/cdk.tf.json").read_text()
    changed = [
        (old.strip(), new.strip())
        for old, new in zip(original.splitlines(), renamed.splitlines(), strict=True)
        if old != new
    ]
    assert changed
    assert all(old.replace("native", "eu-production") == new for old, new in changed)
    assert all(old.startswith(('"path":', '"stackName":', '"native":')) for old, _ in changed)


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


@pytest.mark.parametrize("text", ["{", "[]", '"x"'])
def test_malformed_contexts_are_refused(copy: Path, text: str) -> None:
    """Bad JSON in the environment names the variable."""
    refused(copy, "CDKTF_CONTEXT_JSON", env={"CDKTF_CONTEXT_JSON": text})


def test_a_missing_install_script_is_refused(copy: Path) -> None:
    """Found after the app was built: still nothing is written."""
    (copy / "scripts/install_script.sh").unlink()
    refused(copy, "scripts/install_script.sh", "cannot be read")


def test_a_missing_install_script_leaves_no_folder(project: Path) -> None:
    """Where there was no output there is none afterwards, not even an empty folder."""
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
    return subprocess.run(
        [sys.executable, "main.py"],
        cwd=project,
        env=app_environment(project),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
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
    done = subprocess.run(
        on_small_disk(disk, [sys.executable, "main.py"], size=size),
        cwd=project,
        env=app_environment(project, {variable: str(disk)}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
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


def _started(project: Path, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "main.py"],
        cwd=project,
        env=app_environment(project, env),
        stderr=subprocess.PIPE,
        text=True,
    )


def _wait_for(path: Path, process: subprocess.Popen[Any]) -> None:
    while not path.exists() and process.poll() is None:
        time.sleep(0.001)


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_stopped_halfway_leaves_the_last_good_output(copy: Path, stop: signal.Signals) -> None:
    """However it ends, the old output is whole, and the next synthesis sweeps what was left."""
    before = contents(copy / "cdktf.out")
    write_stacks(copy, {**BOTH, "third": {"bootstrap": "native"}})
    staging = copy / "cdktf.out/.synthesizing"
    process = subprocess.Popen(
        [sys.executable, "main.py"],
        cwd=copy,
        env=app_environment(copy),
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    _wait_for(staging / "stacks", process)
    os.killpg(process.pid, stop)
    assert process.wait(30) != 0
    after = contents(copy / "cdktf.out")
    published = {name: content for name, content in after.items() if ".synthesizing" not in name}
    assert published == before
    assert run_main(copy).returncode == 0
    assert not staging.exists()
    assert (copy / "cdktf.out/stacks/third/cdk.tf.json").exists()


def test_several_at_once_do_not_mix(copy: Path, good: Path) -> None:
    """Syntheses into one folder take turns: the result is that of one of them, whole."""
    scripts = {}
    for name in ("one", "two", "three"):
        other = shutil.copytree(copy, copy.parent / name)
        (other / "scripts/install_script.sh").write_text(f"#!/bin/sh\necho {name}\n")
        scripts[name] = other
    output = {"CDKTF_OUTDIR": str(copy / "cdktf.out")}
    running = [
        subprocess.Popen(
            [sys.executable, "main.py"],
            cwd=project,
            env=app_environment(project, output),
            stderr=subprocess.PIPE,
        )
        for project in scripts.values()
        for _ in range(2)
    ]
    for process in running:
        _, said = process.communicate(timeout=120)
        assert (process.returncode, said) == (0, b"")
    result = contents(copy / "cdktf.out")
    assert len(result) == len(contents(good / "cdktf.out"))
    (script,) = {content for name, content in result.items() if name.endswith(".sh")}
    assert script.split()[-1].decode() in scripts
    for name in ("biomodal-aws", "native"):
        (asset,) = [each for each in result if each.startswith(f"stacks/{name}/assets/")]
        named = asset.removeprefix(f"stacks/{name}/").encode()
        assert named in result[f"stacks/{name}/cdk.tf.json"]


def test_one_is_true_for_the_format(copy: Path) -> None:
    """HCL comes out whole and in its own file, and not in one that Terraform reads as JSON."""
    assert run_main(copy, env={"SYNTH_HCL_OUTPUT": "true"}).returncode == 0
    before = contents(copy / "cdktf.out")
    assert run_main(copy, env={"SYNTH_HCL_OUTPUT": "1"}).returncode == 0
    assert contents(copy / "cdktf.out") == before


def test_both_formats_never_lie_side_by_side(copy: Path) -> None:
    """Terraform refuses a directory that says everything twice."""
    before = contents(copy / "cdktf.out")
    assert run_main(copy, env={"SYNTH_HCL_OUTPUT": "true"}).returncode == 0
    for name in BOTH:
        stack = copy / "cdktf.out/stacks" / name
        assert (stack / "cdk.tf").exists()
        assert not (stack / "cdk.tf.json").exists()
    assert run_main(copy).returncode == 0
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


@pytest.mark.parametrize("node", ["/nonexistent/node", "/tmp", "node --inspect"])
def test_a_node_that_is_none_is_named(copy: Path, node: str) -> None:
    """JSII_NODE is the setting at fault, and jsii's own traceback does not say so."""
    refused(copy, "JSII_NODE", node, env={"JSII_NODE": node})


def test_a_node_that_ends_at_once_is_one_line(copy: Path) -> None:
    """Whatever is started in Node's place, or Node refuses to start with, there is no traceback."""
    done = run_main(copy, env={"JSII_NODE": "false"})
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: Node ended")
    assert "JSII_NODE" in line


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_ends_quietly(copy: Path, tmp_path: Path, how: signal.Signals) -> None:
    """Exit status 130 as everywhere, no traceback of ours on the screen, and nothing left."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    write_stacks(copy, {f"x{number}": {"bootstrap": "native"} for number in range(9)})
    process = _started(copy, {"TMPDIR": str(temporary)})
    _wait_for(copy / "cdktf.out/.synthesizing", process)
    process.send_signal(how)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert not list(temporary.iterdir())
    assert not (copy / "cdktf.out/.synthesizing").exists()


def test_a_dead_node_is_called_that(copy: Path) -> None:
    """Where Node is ended by the system, nobody is sent to look at folders and their modes."""
    write_stacks(copy, {f"x{number}": {"bootstrap": "native"} for number in range(20)})
    process = _started(copy)
    _wait_for(copy / "cdktf.out/.synthesizing/stacks", process)
    for child in psutil.Process(process.pid).children(recursive=True):
        child.kill()
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert said.startswith("error: Node ended during synthesis")
    assert len(said.splitlines()) == 1


def _set_output(project: Path, output: str) -> None:
    path = project / "cdktf.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"output": output}))
