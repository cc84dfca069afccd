"""Tests for biomodal_deploy.plan.sealed.sealing."""

from __future__ import annotations

import fcntl
import os
import re
import resource as limits
import signal
import stat
import time
from datetime import timedelta
from pathlib import Path

import pytest

from biomodal_deploy.errors import UsageError
from biomodal_deploy.plan.sealed import (
    Draft,
    SealedPlan,
    UseState,
    consume,
    drafting,
    prune,
    record_outcome,
    sealed_plans,
    sha256,
)
from biomodal_deploy.plan.sealed.sealed_plan import holds_secrets
from biomodal_deploy.plan.sealed.sealing import clear_leftovers, drafts
from tests.support.plans import plan, resource
from tests.support.sealed_plans import NOW, facts, forked, sealed

FILES = ("plan.tfplan", "manifest.json", "changes.json")


def everything(folder: Path) -> set[str]:
    """Return what lies in a folder, at any depth."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_a_sealed_plan_is_complete(tmp_path: Path) -> None:
    """Plan file, manifest, changes and logs, and nothing of the draft."""
    sealed_plan = sealed(tmp_path / "plans")
    assert everything(sealed_plan.path) == {*FILES, "logs", "logs/plan.jsonl"}
    assert sealed_plan.path == tmp_path / "plans" / "demo" / sealed_plan.id
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{6}", sealed_plan.id)
    assert sealed_plan.manifest.plan_sha256 == sha256(b"a plan file")
    assert sealed_plan.plan().changes[0].address == "aws_x.y"
    assert sealed_plan.sha256 == sha256((sealed_plan.path / "manifest.json").read_bytes())


def test_everything_is_private(tmp_path: Path) -> None:
    """Also the plan file, which Terraform writes for all to read."""
    old = os.umask(0)
    try:
        sealed_plan = sealed(tmp_path / "plans")
    finally:
        os.umask(old)
    path = sealed_plan.path
    modes = dict.fromkeys((path, path.parent, path.parent.parent, sealed_plan.logs), 0o700)
    modes |= {path / name: 0o600 for name in FILES}
    assert {each: stat.S_IMODE(each.stat().st_mode) for each in modes} == modes


def test_plans_are_ignored_by_git_in_any_project(tmp_path: Path) -> None:
    """They hold secrets, and a project may have no line for them."""
    sealed(tmp_path / "plans")
    assert (tmp_path / "plans" / ".gitignore").read_text() == "*\n"


def test_a_failed_plan_keeps_its_logs_and_no_secrets(tmp_path: Path) -> None:
    """The error names the log by the path that it stays at."""

    def fail(draft: Draft) -> None:
        draft.plan_file.write_bytes(b"secret")
        (draft.path / "values.json").write_bytes(b"secret")
        (draft.logs / "plan.jsonl").write_text("why")
        raise RuntimeError

    with pytest.raises(RuntimeError), drafting(tmp_path, "demo") as draft:
        fail(draft)
    assert everything(draft.path) == {"logs", "logs/plan.jsonl"}
    assert (draft.logs / "plan.jsonl").read_text() == "why"
    assert sealed_plans(tmp_path, "demo") == []


def test_a_draft_that_came_to_nothing_goes(tmp_path: Path) -> None:
    """Where there is no log either."""
    with drafting(tmp_path, "demo") as draft:
        pass
    assert not draft.path.exists()


def test_a_plan_without_its_file_cannot_be_sealed(tmp_path: Path) -> None:
    """Terraform wrote none."""
    with pytest.raises(UsageError), drafting(tmp_path, "demo") as draft:
        draft.seal(plan(), facts())


@pytest.mark.parametrize("after", range(1, 9))
def test_killed_while_sealing_leaves_all_or_nothing(
    tmp_path: Path, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at any write to the disk; a later run clears what is left, secrets first."""
    writes = iter(range(1, 100))
    real, me = os.fsync, os.getpid()

    def counting(descriptor: int) -> None:
        if os.getpid() != me and next(writes) == after:
            os.kill(os.getpid(), signal.SIGKILL)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", counting)
    assert forked(lambda: sealed(tmp_path), kill=True) == [-signal.SIGKILL]
    whole = sealed_plans(tmp_path, "demo")
    assert all(SealedPlan.load(path).plan().changes for path in whole)
    clear_leftovers(tmp_path, "demo")
    assert [path.parent for path in tmp_path.rglob("plan.tfplan")] == whole
    sealed(tmp_path)
    assert len(sealed_plans(tmp_path, "demo")) == len(whole) + 1


def test_a_draft_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    """Two may plan at the same time."""
    with drafting(tmp_path, "demo") as first:
        first.plan_file.write_bytes(b"mine")
        second = sealed(tmp_path)
        assert clear_leftovers(tmp_path, "demo") == []
        assert first.plan_file.read_bytes() == b"mine"
        sealed_plan = first.seal(plan(resource("a_b.c")), facts())
    assert {sealed_plan.path, second.path} == set(sealed_plans(tmp_path, "demo"))


def test_leftovers_are_named(tmp_path: Path) -> None:
    """So that a command can say that an earlier plan was cut short."""

    def die() -> None:
        with drafting(tmp_path, "demo") as draft:
            draft.plan_file.write_bytes(b"secret")
            (draft.logs / "plan.jsonl").write_text("x")
            os.kill(os.getpid(), signal.SIGKILL)

    forked(die, kill=True)
    (left,) = clear_leftovers(tmp_path, "demo")
    assert everything(left) == {"logs", "logs/plan.jsonl"}
    assert clear_leftovers(tmp_path, "demo") == []


def test_many_at_once_all_seal(tmp_path: Path) -> None:
    """Nobody clears away what another is about to begin."""
    assert forked(*[lambda: sealed(tmp_path)] * 8) == [0] * 8
    assert len([SealedPlan.load(path) for path in sealed_plans(tmp_path, "demo")]) == 8


@pytest.mark.slow
def test_a_draft_that_is_just_begun_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also between its lock's making and its taking."""
    real = fcntl.flock

    def slow(descriptor: int, operation: int) -> None:
        time.sleep(0.2 if operation & fcntl.LOCK_NB else 0)
        real(descriptor, operation)

    def seal() -> None:
        monkeypatch.setattr(fcntl, "flock", slow)
        sealed(tmp_path)

    def clear() -> None:
        for _ in range(60):
            clear_leftovers(tmp_path, "demo")
            time.sleep(0.01)

    assert forked(seal, clear) == [0, 0]
    assert len(sealed_plans(tmp_path, "demo")) == 1


def test_a_full_disk_is_one_line_and_no_sealed_plan(tmp_path: Path) -> None:
    """The logs stay."""

    def fill() -> None:
        with drafting(tmp_path, "demo") as draft:
            draft.plan_file.write_bytes(b"secret")
            (draft.logs / "plan.jsonl").write_text("x")
            limits.setrlimit(limits.RLIMIT_FSIZE, (100, 100))
            with pytest.raises(UsageError, match="cannot be written"):
                draft.seal(plan(), facts())

    assert forked(fill) == [0]
    assert sealed_plans(tmp_path, "demo") == []
    assert not list(tmp_path.rglob("*.tfplan"))


@pytest.mark.parametrize("stack", ["", "..", ".hidden", "a/b", "a\nb", "x" * 101])
def test_a_stack_that_cannot_be_a_folder_is_refused(tmp_path: Path, stack: str) -> None:
    """Before anything is written."""
    with pytest.raises(UsageError, match="stack"), drafting(tmp_path / "plans", stack):
        pass
    assert not list(tmp_path.rglob("*.tfplan"))


def test_no_secret_is_in_what_is_sealed_beside_the_plan_file(tmp_path: Path) -> None:
    """Manifest and changes may be read by more people than the plan file."""
    secret = plan(
        resource("a_b.c", "create", None, {"p": "canary-1"}, after_sensitive={"p": True}),
        resource('a_b.d["canary-1"]', "delete", {"x": "canary-1"}),
        resource("aws_eip.x", "delete", {"name": "canary-1"}, address='aws_eip.x["canary-1"]'),
    )
    sealed_plan = sealed(tmp_path, of=secret, content=b"canary-1")
    for path in sealed_plan.path.rglob("*"):
        if path.is_file() and path.name != "plan.tfplan":
            assert b"canary" not in path.read_bytes(), path


def test_any_letter_of_an_address_can_be_sealed(tmp_path: Path) -> None:
    """A key of `for_each` may hold what would turn the text on a terminal round."""
    gone = plan(resource("aws_eip.x", "delete", {}, address='aws_eip.x["a\u202eb"]'))
    (verdict,) = (each for each in sealed(tmp_path, of=gone).manifest.verdicts if each.address)
    assert verdict.address == 'aws_eip.x["a b"]'


def test_secrets_of_used_and_expired_plans_go(tmp_path: Path) -> None:
    """What was planned and what became of it stays."""
    good = sealed(tmp_path)
    expired = sealed(tmp_path, now=NOW - timedelta(days=2))
    applied, started = sealed(tmp_path), sealed(tmp_path)
    consume(applied.path)
    record_outcome(applied.path, UseState.APPLIED)
    consume(started.path)
    prune(tmp_path, "demo", now=NOW)
    plans = (applied, expired, good, started)
    assert [each.plan_file.exists() for each in plans] == [False, False, True, True]
    assert [holds_secrets(each.path) for each in plans] == [False, False, True, True]
    assert not holds_secrets(tmp_path / "gone")
    assert len(sealed_plans(tmp_path, "demo")) == 4
    assert all(SealedPlan.load(path).plan() for path in sealed_plans(tmp_path, "demo"))


def test_logs_of_failed_plans_go_in_the_end(tmp_path: Path) -> None:
    """After a month."""

    def fail() -> None:
        with drafting(tmp_path, "demo") as draft:
            (draft.logs / "plan.jsonl").write_text("x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    prune(tmp_path, "demo", now=NOW)
    (draft,) = drafts(tmp_path, "demo")
    prune(tmp_path, "demo", now=NOW + timedelta(days=31))
    assert not draft.exists()


def test_a_damaged_plan_is_left_for_somebody_to_look_at(tmp_path: Path) -> None:
    """Its plan file may be the evidence."""
    sealed_plan = sealed(tmp_path, now=NOW - timedelta(days=2))
    (sealed_plan.path / "manifest.json").write_text("{}")
    prune(tmp_path, "demo", now=NOW)
    assert sealed_plan.plan_file.exists()


def test_a_stack_without_plans_has_nothing_to_clear(tmp_path: Path) -> None:
    """And is no error."""
    prune(tmp_path / "plans", "demo")
    assert not (tmp_path / "plans").exists()
