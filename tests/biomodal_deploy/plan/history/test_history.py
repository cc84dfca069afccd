"""Tests for biomodal_deploy.plan.history."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from biomodal_deploy.errors import SealedPlanRefused
from biomodal_deploy.plan import PlanKind
from biomodal_deploy.plan.history import Event, History, is_overtaken, newest, plans_in_order
from biomodal_deploy.plan.sealed import SealedPlan, UseState, consume, record_outcome, sealed_plans
from tests.support.sealed_plans import NOW, refused, sealed


def planned(plans: Path, **ahead: float) -> SealedPlan:
    """Seal a plan and write it down, with a clock that is ahead."""
    sealed_plan = sealed(plans, now=NOW + timedelta(**ahead))
    History(plans, "demo").append(Event.PLAN, sealed_plan=sealed_plan.id)
    return sealed_plan


class TestNewest:
    """Without a name, the newest unused plan of the stack is meant."""

    def test_the_newest_is_found(self, tmp_path: Path) -> None:
        """By time, and by order where two were made within a second."""
        sealed_plans = [sealed(tmp_path, now=NOW - timedelta(hours=hours)) for hours in (2, 1, 3)]
        assert newest(tmp_path, "demo").id == sealed_plans[1].id
        time.sleep(0.01)
        for _ in range(5):
            last = sealed(tmp_path)
            assert newest(tmp_path, "demo").id == last.id
            time.sleep(0.01)

    def test_used_ones_are_passed_over(self, tmp_path: Path) -> None:
        """So is another stack's."""
        first = sealed(tmp_path, now=NOW - timedelta(hours=1))
        last = sealed(tmp_path)
        consume(last.path)
        sealed(tmp_path, stack="other", now=NOW + timedelta(seconds=10))
        assert newest(tmp_path, "demo").id == first.id
        consume(first.path)
        with refused("no_sealed_plan", last.id):
            newest(tmp_path, "demo")

    def test_a_damaged_one_is_refused_and_not_passed_over(self, tmp_path: Path) -> None:
        """Nobody means the plan before it."""
        sealed(tmp_path, now=NOW - timedelta(hours=1))
        (sealed(tmp_path).path / "manifest.json").write_text("{}")
        with pytest.raises(SealedPlanRefused):
            newest(tmp_path, "demo")

    def test_the_kind_can_be_chosen(self, tmp_path: Path) -> None:
        """`destroy` does not take up a plan to create."""
        destroy = sealed(tmp_path, now=NOW - timedelta(hours=1), kind=PlanKind.DESTROY)
        sealed(tmp_path)
        assert newest(tmp_path, "demo", kinds={PlanKind.DESTROY}).id == destroy.id

    def test_none_is_said_so(self, tmp_path: Path) -> None:
        """With the next command."""
        (tmp_path / "demo" / "draft-20260101T000000Z-abcdef").mkdir(parents=True)
        (tmp_path / "demo" / "notes").mkdir()
        (tmp_path / "demo" / "20990101T000000Z-abcdef").touch()  # a file is no plan in the way
        with refused("no_sealed_plan", "biomodal-aws plan --stack demo"):
            newest(tmp_path, "demo")
        assert sealed_plans(tmp_path, "nothing") == []


def test_a_plan_made_with_the_clock_ahead_is_not_the_newest_for_long(tmp_path: Path) -> None:
    """The next plan is, by the order in which they were written down."""
    ahead, after = planned(tmp_path, days=2), planned(tmp_path)
    assert newest(tmp_path, "demo").id == after.id
    assert [each.name for each in plans_in_order(tmp_path, "demo")] == [after.id, ahead.id]


def test_plans_of_another_machine_are_placed_by_their_time(tmp_path: Path) -> None:
    """They are not in this history; beside the last one that is older, whatever came between."""
    planned(tmp_path, days=2)
    after = planned(tmp_path)
    old, young = (
        sealed(tmp_path, now=NOW - timedelta(hours=1)),
        sealed(tmp_path, now=NOW + timedelta(hours=1)),
    )
    order = [each.name for each in plans_in_order(tmp_path, "demo")]
    assert order[:2] == [young.id, after.id]
    assert order[-1] == old.id


def test_an_apply_with_the_clock_ahead_overtakes_no_later_plan(tmp_path: Path) -> None:
    """Of several stacks, those are left out whose state has moved on, and only those."""
    before = planned(tmp_path)
    ahead = planned(tmp_path, days=2)
    History(tmp_path, "demo").append(Event.APPLY_START, sealed_plan=ahead.id)
    consume(ahead.path, now=NOW + timedelta(days=2))
    record_outcome(ahead.path, UseState.APPLIED)
    after = planned(tmp_path)
    assert is_overtaken(tmp_path, before)
    assert not is_overtaken(tmp_path, after)
