"""Tests for biomodal_deploy.workflow.plans."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from biomodal_deploy.errors import UsageError
from biomodal_deploy.plan import PlanKind
from biomodal_deploy.plan.history import Event, History, is_overtaken
from biomodal_deploy.plan.sealed import SealedPlan, UseState, consume, record_outcome
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.plans import delete_plans, list_plans
from tests.support.light import STACK, LightProject
from tests.support.plans import plan, resource
from tests.support.sealed_plans import NOW, edit_manifest, sealed


@pytest.fixture
def project(tmp_path: Path) -> LightProject:
    """A project; its plans are written by the tests."""
    return LightProject(tmp_path / "project")


def location(project: LightProject) -> Location:
    """Return the project as commands see it."""
    return Location.of(project.folder, {})


def used(made: SealedPlan, state: UseState) -> SealedPlan:
    """Use a plan, with this outcome."""
    history = History(made.path.parents[1], STACK)
    history.append(Event.APPLY_START, sealed_plan=made.id)
    consume(made.path, now=made.manifest.created + timedelta(minutes=1))
    record_outcome(made.path, state)
    return made


def at(project: LightProject, hours: float, **how: object) -> SealedPlan:
    """Seal a plan some hours ago, and write it down."""
    plans = project.folder / "plans"
    made = sealed(plans, now=NOW - timedelta(hours=hours), stack=STACK, **how)  # type: ignore[arg-type]
    History(plans, STACK).append(Event.PLAN, sealed_plan=made.id)
    return made


def test_each_plan_has_its_state_and_what_it_does(project: LightProject) -> None:
    """What can be applied, what cannot and why; the newest first."""
    expired = at(project, 30)
    overtaken = at(project, 4)
    applied = used(at(project, 3), UseState.APPLIED)
    damaged = at(project, 2)
    edit_manifest(damaged, lambda body: body.update(has_changes=False), forge=False)
    idle = at(project, 1.5, of=plan())
    lost = resource("aws_s3_bucket.x", "delete", {"bucket": "x"}, None)
    refused = at(project, 1, of=plan(lost))
    ready = at(project, 0.5)
    found = list_plans(location(project), None)
    assert [(each.path.name, each.state) for each in found] == [
        (ready.id, "ready"),
        (refused.id, "refused"),
        (idle.id, "no changes"),
        (damaged.id, "damaged"),
        (applied.id, "applied"),
        (overtaken.id, "overtaken"),
        (expired.id, "expired"),
    ]
    assert found[0].does == "1 to create"
    assert "changed after it was sealed" in found[3].does
    assert [each.path.name for each in found if each.prunable] == [expired.id]


def test_what_other_commands_need_is_kept(project: LightProject) -> None:
    """The last apply, what failed after it, a failed destroy, and what nobody knows the end of."""
    older = used(at(project, 9), UseState.APPLIED)
    older_failure = used(at(project, 8), UseState.FAILED)
    half_destroyed = used(at(project, 7, kind=PlanKind.DESTROY), UseState.FAILED)
    unknown = at(project, 6)
    consume(unknown.path)
    waiting = at(project, 5)
    last = used(at(project, 4), UseState.APPLIED)
    failed = used(at(project, 3), UseState.INTERRUPTED)
    found = list_plans(location(project), STACK)
    pruned = [each for each in found if each.prunable]
    assert {each.path.name for each in pruned} == {older.id, older_failure.id}
    delete_plans(pruned)
    kept = {half_destroyed.id, unknown.id, waiting.id, last.id, failed.id}
    assert {each.path.name for each in list_plans(location(project), STACK)} == kept
    assert is_overtaken(project.folder / "plans", waiting)
    assert len(History(project.folder / "plans", STACK).whole()) == 12


def test_a_plan_copied_from_another_stack_is_not_ready(project: LightProject) -> None:
    """The list says of it what an apply would refuse."""
    made = at(project, 1)
    copied = shutil.copytree(made.path, made.path.parents[1] / "other" / made.id)
    copied.parent.chmod(0o700)
    found = {each.stack: each for each in list_plans(location(project), None)}
    assert (found[STACK].state, found["other"].state) == ("ready", "damaged")
    assert STACK in found["other"].does
    assert not found["other"].prunable


def test_a_deletion_that_is_cut_short_leaves_no_damaged_plan(
    project: LightProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left of it is a draft, which the next command clears."""
    at(project, 30)
    (listed,) = list_plans(location(project), STACK)

    def stop(path: Path) -> None:
        raise KeyboardInterrupt

    # Put back before anything else here is cleared away, pytest's own folders among it.
    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", stop)
        with pytest.raises(KeyboardInterrupt):
            delete_plans([listed])
    assert list_plans(location(project), STACK) == []
    assert [each.name for each in project.plans.glob("*-*")] == [f"draft-{listed.path.name}"]


def test_an_unknown_stack_is_refused(project: LightProject) -> None:
    """As everywhere."""
    at(project, 1)
    with pytest.raises(UsageError):
        list_plans(location(project), "lihgt")


@pytest.mark.slow
def test_the_command_says_what_would_go_before_it_goes(project: LightProject) -> None:
    """Without a terminal and without --yes nothing is deleted, and the status says so."""
    gone, kept = at(project, 30), at(project, 1)
    listed = project.run("plans")
    assert (listed.status, listed.err) == (0, "")
    assert kept.id in listed.out
    assert "expired" in listed.out
    asked = project.run("plans", "--prune")
    assert (asked.status, kept.id in asked.out) == (2, False)
    assert "biomodal-aws plans --prune --yes" in asked.out
    assert gone.path.exists()
    done = project.run("plans", "--prune", "--yes", "-o", "json")
    assert (done.status, done.data["deleted"]) == (0, True)
    assert [each["sealed_plan"] for each in done.data["plans"]] == [gone.id]
    assert (gone.path.exists(), kept.path.exists()) == (False, True)
    assert project.run("plans", "--yes").status == 64
