"""Tests for biomodal_deploy.workflow.location: what a kill leaves, and what becomes of it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
from functools import partial
from pathlib import Path

import pytest

from biomodal_deploy import files
from biomodal_deploy.files import replace
from biomodal_deploy.plan.sealed import SealedPlan, consume, drafting
from biomodal_deploy.workflow.location import Location
from tests.support.sealed_plans import forked, sealed
from tests.support.sealed_project import STACK, sealed_project

SECRET = b"canary-left-9d3e"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project without any plan."""
    (tmp_path / "cdktf.json").write_text(json.dumps({"app": "true", "context": {}}))
    return tmp_path


def holders(folder: Path) -> list[str]:
    """Return the files that hold the secret."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and SECRET in path.read_bytes()
    )


def die() -> None:
    """End this process as `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("locked", [True, False])
def test_a_draft_of_a_dead_command_goes(project: Path, locked: bool) -> None:
    """With or without its lock: a kill may have come before it was made, or after it went."""

    def plan() -> None:
        with drafting(project / "plans", STACK) as draft:
            draft.plan_file.write_bytes(SECRET)
            replace(draft.path / "variables.tfvars.json", SECRET)
            if not locked:
                (draft.path / ".lock").unlink()
            die()

    forked(plan, kill=True)
    assert len(holders(project)) == 2
    Location.of(project)
    assert holders(project) == []


def test_a_draft_of_a_living_command_stays(project: Path) -> None:
    """Whatever else runs meanwhile."""
    with drafting(project / "plans", STACK) as draft:
        draft.plan_file.write_bytes(SECRET)
        Location.of(project)
        assert draft.plan_file.exists()


def test_what_a_dead_apply_used_goes(tmp_path: Path) -> None:
    """The plan file and the values beside it; the record of what was planned stays."""
    project, sealed_plan = sealed_project(tmp_path)
    sealed_plan.plan_file.write_bytes(SECRET)
    (sealed_plan.path / "variables.tfvars.json").write_bytes(SECRET)

    def apply() -> None:
        consume(sealed_plan.path)
        die()

    forked(apply, kill=True)
    # Whoever clears away may be killed too.
    sealed_plan.plan_file.unlink()
    Location.of(project)
    assert holders(project) == []
    assert SealedPlan.load(sealed_plan.path).plan().changes


def test_what_a_living_apply_uses_stays(tmp_path: Path) -> None:
    """And so does a sealed plan that nobody used yet."""
    project, sealed_plan = sealed_project(tmp_path)
    Location.of(project)
    assert sealed_plan.plan_file.exists()
    consume(sealed_plan.path)
    Location.of(project)
    assert sealed_plan.plan_file.exists()


def test_what_a_living_terraform_uses_stays(tmp_path: Path) -> None:
    """Its command may be gone, and Terraform about to end."""
    project, sealed_plan = sealed_project(tmp_path)
    forked(lambda: consume(sealed_plan.path))
    log = sealed_plan.logs / "apply.log"
    log.touch()
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        with log.open("ab") as held:
            fcntl.lockf(held, fcntl.LOCK_EX)
            os.write(write, b"x")
            signal.pause()
    os.read(read, 1)
    try:
        Location.of(project)
        assert sealed_plan.plan_file.exists()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    Location.of(project)
    assert not sealed_plan.plan_file.exists()


@pytest.mark.parametrize("has_memory", [True, False])
def test_what_terraform_was_configured_with_goes(
    project: Path, has_memory: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds the user's tokens: in memory it goes with its command, on a disk with the next."""
    if not has_memory:
        monkeypatch.setattr(files, "memory_file", lambda: None)
    plans = project / "plans"

    def plan() -> None:
        assert files.keep(plans, "terraform.tfrc", SECRET).read_bytes() == SECRET
        Location.of(project)
        assert len(holders(project)) == (0 if hasattr(os, "memfd_create") and has_memory else 1)
        die()

    forked(plan, kill=True)
    Location.of(project)
    assert holders(project) == []


@pytest.mark.parametrize("name", ["drift", "migrate"])
def test_a_scratch_folder_of_a_dead_command_goes(project: Path, name: str) -> None:
    """A plan that is read and thrown away, a state on its way: the whole folder."""
    logs = project / "plans" / STACK / "logs"
    logs.mkdir(parents=True)

    def work() -> None:
        with files.scratch(logs, name) as folder:
            (folder / "deeper").mkdir()
            (folder / "deeper" / "plan.tfplan").write_bytes(SECRET)
            die()

    forked(work, kill=True)
    assert len(holders(project)) == 1
    with files.scratch(logs, name) as folder:
        Location.of(project)
        assert list(logs.iterdir()) == [folder]
    assert list(logs.iterdir()) == []


@pytest.mark.parametrize(
    "path", ["cdktf.json", "environments/a.tfvars", "state/backups/x.tfstate", "locks/a.hcl"]
)
def test_a_file_that_was_being_written_leaves_no_draft(
    project: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before the rename: what was there is whole, and the draft goes with the next run."""
    target = project / path
    target.parent.mkdir(parents=True, exist_ok=True)
    before = target.read_bytes() if target.exists() else None

    def write() -> None:
        monkeypatch.setattr(os, "fsync", lambda _: die())
        replace(target, SECRET)

    forked(write, kill=True)
    assert len(holders(project)) == 1
    Location.of(project)
    assert holders(project) == []
    assert (target.read_bytes() if target.exists() else None) == before


def test_a_project_that_cannot_be_changed_is_read_all_the_same(tmp_path: Path) -> None:
    """Clearing away never fails a command; what somebody edited is left to be looked at."""
    project, sealed_plan = sealed_project(tmp_path)
    forked(lambda: consume(sealed_plan.path))
    (sealed_plan.path / "manifest.json").write_text("{}")
    Location.of(project)
    assert sealed_plan.plan_file.exists()


def test_sealed_plans_of_every_stack_are_looked_at(project: Path) -> None:
    """Not only those of the stack that the next command is for."""
    made = [sealed(project / "plans", stack=stack) for stack in ("a", "b")]
    forked(*(partial(consume, sealed_plan.path) for sealed_plan in made))
    Location.of(project)
    assert not any(sealed_plan.plan_file.exists() for sealed_plan in made)
