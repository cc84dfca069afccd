"""Signals, closed terminals and kills of the command itself, in the middle of its work."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS, EXIT_INTERRUPTED
from biomodal_deploy.plan.history import Entry, Event, History
from tests.support.driven import Driven
from tests.support.light import STACK, LightProject

pytestmark = [pytest.mark.engine]

# Many resources make a plan take its time, the provisioners an apply.
MODEL: Final[dict[str, Any]] = {
    "resource": {
        "terraform_data": {
            "many": {"count": 100, "input": "${count.index}"},
            "slow": {
                "count": 2,
                "provisioner": {"local-exec": {"command": "sleep 0.5; sleep 0.5"}},
            },
            "last": {"depends_on": ["terraform_data.slow"]},
        }
    },
    "output": {"word": {"value": "${terraform_data.many[0].output}"}},
}
ENDLESS: Final[dict[str, Any]] = {
    "resource": {
        "terraform_data": {
            "first": {},
            "slow": {
                "depends_on": ["terraform_data.first"],
                "provisioner": {"local-exec": {"command": "sleep 20; true"}},
            },
        }
    }
}
SIGNALS: Final = {"int": signal.SIGINT, "term": signal.SIGTERM, "hup": signal.SIGHUP}
# How long each phase takes here, about: the moments are spread over all of it.
SECONDS: Final = {"init": 0.15, "plan": 0.5, "apply": 1.6}
# Two are enough where one of them stopped the command in its middle.
TRIES: Final = 12


def project_in(folder: Path, model: dict[str, Any] = MODEL) -> LightProject:
    """Return a project with nothing applied."""
    return LightProject(folder, {STACK: model})


def begun(project: LightProject, phase: str) -> Callable[[], bool]:
    """Return whether Terraform's call for a phase has begun."""
    return lambda: bool(list(project.plans.glob(f"*/logs/{phase}.log")))


def entries(project: LightProject) -> tuple[Entry, ...]:
    """Return the history, whose chain has to be whole."""
    chain = History(project.folder / "plans", STACK).verify_chain()
    assert chain.broken_at is None
    return chain.entries


def all_is_well(project: LightProject, driven: Driven) -> None:
    """No Terraform is left, nothing is locked, no secret lies about, and the next plan works."""
    driven.none_left()
    assert not list((project.folder / "state").glob(".*.lock.info"))
    drafts = [path for path in project.plans.glob("draft-*/*") if path.name != "logs"]
    assert drafts == []
    ended = project.run("plan", "--output", "json")
    assert ended.status == EXIT_DONE, ended.out + ended.err
    assert entries(project)[-1].event is Event.PLAN


@pytest.mark.parametrize("how", ["int", "term", "hup", "closed terminal"])
@pytest.mark.parametrize("phase", ["init", "plan", "apply"])
def test_a_stop_at_any_moment(tmp_path: Path, phase: str, how: str) -> None:
    """Wherever a stop request falls, the command ends in order, with status 130 and a record."""
    moments = random.Random(f"{phase} {how}")
    terminal = how == "closed terminal"
    stopped, share = 0, 0.2
    for number in range(TRIES):
        project = project_in(tmp_path / f"run-{number}")
        if phase == "apply":
            project.plan()
        words = ["apply" if phase == "apply" else "plan", "--stack", STACK]
        before = entries(project)[-1:]
        with Driven.command(
            project.folder, words, project.environment(), terminal=terminal
        ) as driven:
            if number:  # the first may come before Terraform is called at all
                driven.until(begun(project, phase))
            # On a fast machine the moments may be too late: then the next is an early one. Not at
            # once: Terraform forgets a request that comes before it has begun its walk.
            early = number and not stopped
            time.sleep((share if early else moments.uniform(0, 0.9)) * SECONDS[phase])
            share *= 0.9
            if terminal:
                driven.hang_up()
            else:
                driven.process.send_signal(SIGNALS[how])
            driven.end()
            assert "Traceback" not in driven.screen
            status, last = driven.process.returncode, entries(project)[-1:]
            if status == EXIT_INTERRUPTED:
                stopped += 1
                if number and last[0].event is Event.RESULT:
                    # It came while the outputs were read: what was done is on record.
                    assert (phase, last[0].details.get("ok", True)) == ("apply", True)
                elif number and last[0].event is not Event.PLAN:
                    assert last[0].event is Event.INTERRUPTED
            elif status < 0 and not number:
                # It came while Python itself was starting: nothing had begun.
                assert last == before
            else:
                # It came when all was done, and what was done is on record.
                ok = last[0].details.get("ok", True)
                assert (status, ok) == (EXIT_DONE, True), driven.screen
            all_is_well(project, driven)
        if number and stopped:
            break
    assert stopped > 0, "no run was stopped in its middle: the moments are wrong"


def test_a_stopped_apply_says_what_was_done(tmp_path: Path) -> None:
    """What was made, what was not, and how to go on: on screen, in the record and in history."""
    project = project_in(tmp_path / "project", ENDLESS)
    sealed_plan = project.plan()
    with Driven.command(project.folder, ["apply"], project.environment()) as driven:
        driven.until(lambda: "provision_start" in read(sealed_plan / "logs" / "apply.log"))
        driven.process.send_signal(signal.SIGTERM)
        driven.end()
        assert driven.process.returncode == EXIT_INTERRUPTED
        assert "so the next plan replaces it: terraform_data.slow." in driven.screen
        assert "The state is not locked. Next: biomodal-aws plan." in driven.screen
        assert f"Log: {sealed_plan / 'logs' / 'apply.log'}" in driven.screen
        assert "please do not kill it" in driven.screen
        all_is_well(project, driven)
    stopped = next(each for each in entries(project) if each.event is Event.INTERRUPTED)
    assert stopped.sealed_plan == sealed_plan.name
    assert "1 change made" in stopped.message
    assert project.run("show", sealed_plan.name).out.count("interrupted at") == 1


def test_ignored_signals_stay_ignored(tmp_path: Path) -> None:
    """Under `nohup` a closed terminal stops nothing."""
    project = project_in(tmp_path / "project")
    project.plan()
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        driven = Driven.command(project.folder, ["apply"], project.environment())
    finally:
        signal.signal(signal.SIGHUP, before)
    with driven:
        driven.until(begun(project, "apply"))
        driven.process.send_signal(signal.SIGHUP)
        driven.end()
        assert driven.process.returncode == EXIT_DONE, driven.screen


def test_after_a_kill_the_next_plan_says_what_happened(tmp_path: Path) -> None:
    """A command that was killed could say nothing; its log did."""
    project = project_in(tmp_path / "project", ENDLESS)
    sealed_plan = project.plan()
    with Driven.command(project.folder, ["apply"], project.environment()) as driven:
        driven.until(lambda: "provision_start" in read(sealed_plan / "logs" / "apply.log"))
        driven.process.kill()
        driven.process.wait()
        driven.until(lambda: not driven.descendants_but_shells())
        for left in driven.descendants():  # a provisioner's own child, which Terraform leaves
            left.kill()
        again = project.run("apply", sealed_plan.name, "--output", "json")
        assert again.status == 4
        assert "how it ended is unknown" in again.error["message"]
        ended = project.run("plan", "--detailed-exitcode")
        assert ended.status == EXIT_FINDINGS, ended.err
        said = " ".join(ended.err.split())
        assert f"The plan {sealed_plan.name} was started at" in said
        assert "1 change made; terraform_data.slow was begun and its end is unknown" in said
        assert "This plan starts from what is there: review it closely." in said
        all_is_well(project, driven)


def test_a_terraform_that_is_still_at_work_is_told_from_one_that_is_over(tmp_path: Path) -> None:
    """Whoever plans at once after a kill is told to wait, and not that all is over."""
    project = project_in(tmp_path / "project", ENDLESS)
    sealed_plan = project.plan()
    with Driven.command(project.folder, ["apply"], project.environment()) as driven:
        driven.until(lambda: "provision_start" in read(sealed_plan / "logs" / "apply.log"))
        terraform = [each for each in driven.descendants() if driven.name_of(each) == "terraform"]
        for each in terraform:
            each.suspend()  # it cannot hear that its command is gone
        driven.process.kill()
        driven.process.wait()
        try:
            ended = project.run("plan")
            assert "Terraform is still at work: wait until it has ended." in ended.err
            assert ended.status == 1
            assert "the state is locked" in ended.err
        finally:
            for each in terraform:
                each.resume()
        psutil.wait_procs(terraform, timeout=20)
        for left in driven.descendants():
            left.kill()
        all_is_well(project, driven)


def read(path: Path) -> str:
    """Return a file's text, nothing where there is none yet."""
    return path.read_text(errors="replace") if path.exists() else ""
