"""Sets of stacks on real Terraform: fifty at once, one that fails, and one stop request."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from biomodal_deploy.errors import (
    EXIT_DONE,
    EXIT_ENGINE,
    EXIT_FINDINGS,
    EXIT_GUARD,
    EXIT_INTERRUPTED,
    EXIT_SEALED_PLAN,
    EXIT_USAGE,
)
from tests.support.light import Ended, LightProject

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("many")]

FIFTY: Final = [f"lab-{n:02}" for n in range(50)]
BROKEN: Final = "lab-17"
GIB: Final = 1 << 30


def light(text: str = "x") -> dict[str, Any]:
    """Return a stack with one resource."""
    return {"resource": {"terraform_data": {"it": {"input": text}}}}


def tree_memory(process: psutil.Process) -> int:
    """Return what a process and all that it started hold now; shared pages count each time."""
    total = 0
    for each in [process, *process.children(recursive=True)]:
        try:
            total += each.memory_info().rss
        except psutil.Error:
            continue
    return total


def commands(process: psutil.Process) -> list[list[str]]:
    """Return the arguments of everything that a process has started and that still runs."""
    found = []
    for each in process.children(recursive=True):
        with suppress(psutil.Error):
            found.append(each.cmdline())
    return found


class Measured:
    """A command, and the most memory that its processes held together."""

    def __init__(self, project: LightProject, *words: str) -> None:
        child = subprocess.Popen(
            [sys.executable, "-m", "biomodal_deploy", *words],
            cwd=project.folder,
            env=project.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.peak = 0
        watch = threading.Thread(target=self._watch, args=(psutil.Process(child.pid),))
        watch.start()
        out, err = child.communicate(timeout=240)
        watch.join()
        self.ended = Ended(child.returncode, out, err)

    def _watch(self, process: psutil.Process) -> None:
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            try:
                self.peak = max(self.peak, tree_memory(process))
            except psutil.NoSuchProcess:
                return
            time.sleep(0.2)


@pytest.fixture(scope="module")
def fifty(tmp_path_factory: pytest.TempPathFactory) -> LightProject:
    """Fifty stacks, one of which cannot be planned."""
    models = {name: light() for name in FIFTY}
    models[BROKEN] = light('${file("not-there")}')
    return LightProject(tmp_path_factory.mktemp("many") / "fifty", models)


@pytest.fixture(scope="module")
def planned(fifty: LightProject) -> Measured:
    """All of them planned."""
    return Measured(
        fifty, "plan", "--detailed-exitcode", "--all", "--jobs", "3", "--output", "json"
    )


def test_fifty_are_planned_and_one_fails_alone(fifty: LightProject, planned: Measured) -> None:
    """Each has its entry, 49 have a sealed plan, and the status is that of the failure."""
    assert planned.ended.status == EXIT_ENGINE, planned.ended.err
    data = planned.ended.data
    assert data["statuses"] == {"1": 1, "2": 49}
    assert [each["stack"] for each in data["stacks"]] == FIFTY
    for each in data["stacks"]:
        if each["stack"] == BROKEN:
            assert each["data"] is None
            assert "not-there" in each["error"]["message"]
        else:
            assert each["data"]["counts"]["create"] == 1
            assert Path(each["data"]["path"]).is_dir()
            assert each["error"] is None


def test_they_are_synthesized_once(fifty: LightProject, planned: Measured) -> None:
    """One history entry each, and one synthesis for all."""
    synthesized = (fifty.folder / "cdktf.out" / "manifest.json").stat().st_mtime
    first = min(path.stat().st_mtime for path in (fifty.folder / "plans").glob("lab-*"))
    assert synthesized <= first


def test_memory_stays_within_its_bound(planned: Measured) -> None:
    """The whole tree of processes, far below 6 GiB; three commands and their Terraforms."""
    assert 0 < planned.peak < 2 * GIB


def test_a_set_of_plans_is_applied_by_digest(fifty: LightProject, planned: Measured) -> None:
    """Exactly those that were approved, or none; the others stay as they are."""
    by_name = {each["stack"]: each["data"] for each in planned.ended.data["stacks"]}
    chosen = [by_name[name] for name in FIFTY[:3]]
    ids = [each["sealed_plan"] for each in chosen]
    digests = [f"--expect-sha256={each['sha256']}" for each in chosen]
    for wrong in (digests[:2], [*digests, f"--expect-sha256={by_name[FIFTY[3]]['sha256']}"]):
        refused = fifty.run("apply", *ids, *wrong, "--output", "json")
        assert refused.status == EXIT_SEALED_PLAN
        assert refused.error["reason"] == "not_approved"
    assert list((fifty.folder / "state").glob("*.tfstate")) == []
    done = fifty.run("apply", *ids, *digests)
    assert done.status == EXIT_DONE, done.err
    assert f"{FIFTY[0]}: done, 1 change made" in done.out
    assert "3 stacks: 3 done.\n" in done.out
    states = sorted(path.name for path in (fifty.folder / "state").glob("*.tfstate"))
    assert states == [f"{name}.tfstate" for name in FIFTY[:3]]


def test_the_newest_plans_of_a_pattern(fifty: LightProject, planned: Measured) -> None:
    """What is applied already, or could not be planned, has nothing to apply."""
    done = fifty.run("apply", "--stack", f"lab-0[2-4],{BROKEN}", "--output", "json")
    assert done.status == EXIT_DONE, done.err
    entries = {each["stack"]: each["data"] for each in done.data["stacks"]}
    assert entries[BROKEN] == entries["lab-02"] == {"sealed_plan": None, "reason": "no_unused_plan"}
    assert len(entries["lab-03"]["completed"]) == 1
    drift = fifty.run("drift", "--stack", "lab-0[0-2]")
    assert drift.status == EXIT_DONE, drift.err
    assert drift.out.count("as Terraform left it") == 3


def test_losses_in_a_set_need_their_names(fifty: LightProject, planned: Measured) -> None:
    """The one that loses something is refused until it is named; destroying is done alone."""
    models = {name: light() for name in FIFTY}
    fifty.model({**models, "lab-00": light("z"), "lab-01": {"output": {"x": {"value": "y"}}}})
    both = ("--stack", "lab-00,lab-01")
    assert fifty.run("plan", "--detailed-exitcode", *both).status == EXIT_FINDINGS
    refused = fifty.run("apply", *both)
    assert refused.status == EXIT_GUARD, refused.out + refused.err
    assert "1 done, 1 refused" in refused.out
    assert "--confirm lab-01" in refused.out
    assert fifty.run("apply", *both, "--confirm", "lab-01").status == EXIT_DONE
    destroying = fifty.run("plan", "--all", "--destroy")
    assert (destroying.status, "--destroy" in destroying.err) == (EXIT_USAGE, True)
    one = fifty.plan("--destroy", "--stack", "lab-00")
    together = fifty.run("apply", *both)
    assert together.status == EXIT_USAGE
    assert f"apply {one.name} --stack lab-00" in together.err


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> LightProject:
    """Three stacks whose applies take long, planned."""
    resources = {"it": {"provisioner": {"local-exec": {"command": "sleep 30"}}}}
    model = {"resource": {"terraform_data": resources}}
    folder = tmp_path_factory.mktemp("many") / "slow"
    project = LightProject(folder, dict.fromkeys("abc", model))
    assert project.run("plan", "--all", "--jobs", "3").status == EXIT_DONE
    return project


def test_one_interrupt_stops_all_gracefully(slow: LightProject) -> None:
    """Each Terraform is asked once and lets its lock go; what has not begun is as it was."""
    child = subprocess.Popen(
        [sys.executable, "-m", "biomodal_deploy", "apply", "--all", "--jobs=2", "--output=json"],
        cwd=slow.folder,
        env=slow.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    root = psutil.Process(child.pid)
    until = time.monotonic() + 60
    while sum("sleep" in words[:1] for words in commands(root)) < 2:
        assert time.monotonic() < until
        time.sleep(0.1)
    everything = root.children(recursive=True)
    os.kill(child.pid, signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert child.returncode == EXIT_INTERRUPTED, out + err
    answer = json.loads(out)
    assert answer["error"]["code"] == "interrupted"
    entries = {each["stack"]: each for each in answer["data"]["stacks"]}
    assert {each["exit_status"] for each in entries.values()} == {EXIT_INTERRUPTED}
    assert "Not begun" in entries["c"]["error"]["message"]
    _, alive = psutil.wait_procs(everything, timeout=5)
    assert alive == []
    assert list((slow.folder / "state").glob("*.lock.info")) == []
    for name in ("a", "b"):
        history = slow.run("history", "--stack", name, "--output", "json").data
        assert [each["event"] for each in history["entries"]][-1] == "interrupted"
    assert slow.run("show", "--stack", "c").status == EXIT_DONE


def test_a_command_that_is_killed_is_an_outcome_of_its_own(tmp_path: Path) -> None:
    """SIGKILL of one command: its Terraform is told to stop, and the others go on."""
    # A project of its own: in one that an interrupted apply has left, b may have a state or none.
    project = LightProject(tmp_path / "killed", dict.fromkeys("abc", light()))
    child = subprocess.Popen(
        [sys.executable, "-m", "biomodal_deploy", "drift", "--all", "--jobs=1", "--output=json"],
        cwd=project.folder,
        env=project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    root = psutil.Process(child.pid)
    killed = False
    while not killed:
        for each in root.children():
            with suppress(psutil.Error):
                if "--part" in each.cmdline():
                    each.kill()
                    killed = True
        time.sleep(0.05)
    out, _ = child.communicate(timeout=60)
    statuses = [each["exit_status"] for each in json.loads(out)["data"]["stacks"]]
    # The others were looked at: nothing of them is applied, which drift says by its status.
    assert statuses == [EXIT_INTERRUPTED, EXIT_FINDINGS, EXIT_FINDINGS]
