"""`python main.py` stopped halfway, and several at once: the output is whole."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.project import BOTH, app_environment, contents, run_main, write_stacks

# Each test starts the app and, in most, the Node that cdktf runs in.
pytestmark = pytest.mark.engine


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
