"""Tests for biomodal_deploy.plan.sealed.pruning."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from biomodal_deploy.plan.sealed import (
    SealedPlan,
    UseState,
    consume,
    drafting,
    prune,
    record_outcome,
    sealed_plans,
)
from tests.support.sealed_plans import NOW, sealed


def test_secrets_of_used_and_expired_plans_go(tmp_path: Path) -> None:
    """What was planned and what became of it stays."""
    good = sealed(tmp_path)
    expired = sealed(tmp_path, now=NOW - timedelta(days=2))
    applied, started = sealed(tmp_path), sealed(tmp_path)
    consume(applied.path)
    record_outcome(applied.path, UseState.APPLIED)
    consume(started.path)
    pruned = prune(tmp_path, "demo", now=NOW)
    assert set(pruned.plan_files) == {applied.plan_file, expired.plan_file}
    assert good.plan_file.exists()
    assert started.plan_file.exists()
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
    assert prune(tmp_path, "demo", now=NOW).drafts == ()
    (gone,) = prune(tmp_path, "demo", now=NOW + timedelta(days=31)).drafts
    assert not gone.exists()


def test_a_damaged_plan_is_left_for_somebody_to_look_at(tmp_path: Path) -> None:
    """Its plan file may be the evidence."""
    sealed_plan = sealed(tmp_path, now=NOW - timedelta(days=2))
    (sealed_plan.path / "manifest.json").write_text("{}")
    assert prune(tmp_path, "demo", now=NOW).plan_files == ()
    assert sealed_plan.plan_file.exists()


def test_a_stack_without_plans_has_nothing_to_clear(tmp_path: Path) -> None:
    """And is no error."""
    assert prune(tmp_path / "plans", "demo").plan_files == ()
