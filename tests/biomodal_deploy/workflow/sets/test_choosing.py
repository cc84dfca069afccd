"""Names, patterns and all: which stacks a set is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from biomodal_deploy.errors import SealedPlanRefused, UsageError
from biomodal_deploy.plan import Plan
from biomodal_deploy.plan.sealed import UseState, consume, record_outcome
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.sets.choosing import choose_several, is_set, named, newest_of
from tests.support.plans import plan
from tests.support.sealed_plans import NOW, sealed

NAMES = ["dev", "prod-eu", "prod-us", "test"]

EARLIER = NOW - timedelta(minutes=10)


@pytest.mark.parametrize(
    ("stacks", "every", "chosen"),
    [
        ([], True, NAMES),
        (["prod-*"], False, ["prod-eu", "prod-us"]),
        (["test,dev"], False, ["dev", "test"]),
        (["test", "prod-?u,dev"], False, ["dev", "prod-eu", "test"]),
        (["prod-us", "prod-*", "prod-us,"], False, ["prod-eu", "prod-us"]),
        (["[dt]e*"], False, ["dev", "test"]),
    ],
)
def test_names_and_patterns_choose(stacks: list[str], every: bool, chosen: list[str]) -> None:
    """Each one once, in the order of the stacks."""
    assert is_set(stacks, every=every)
    assert choose_several(stacks, NAMES, every=every) == chosen


def test_one_name_is_no_set() -> None:
    """It is the command as it always was; a pattern that fits one is a set of one."""
    assert not is_set(["dev"], every=False)
    assert not is_set([], every=False)
    assert not is_set(["dev,"], every=False)
    assert is_set(["de*"], every=False)


@pytest.mark.parametrize(
    ("stacks", "every", "line"),
    [
        (["dev", "prod-er"], False, '"prod-er": no such stack. Fix: did you mean'),
        (["stage-*"], False, '--stack = "stage-\\*": .* dev'),
        # The name may stand in the environment, where nobody sees it.
        (["dev"], True, "--all: cannot be used with --stack or BIOMODAL_STACK"),
    ],
)
def test_what_fits_none_is_one_line(stacks: list[str], every: bool, line: str) -> None:
    """Nothing is worked on then, not even what did fit."""
    with pytest.raises(UsageError, match=line):
        choose_several(stacks, NAMES, every=every)


@pytest.fixture
def location(tmp_path: Path) -> Location:
    """A project without plans."""
    (tmp_path / "cdktf.json").write_text('{"app": "true"}')
    return Location.of(tmp_path, {})


def test_the_newest_of_each_is_chosen(location: Location) -> None:
    """One without changes, and a stack without a plan, are left alone and say why."""
    nothing: Plan = plan()
    sealed(location.plans, stack="a", now=EARLIER)
    newest = sealed(location.plans, stack="a")
    sealed(location.plans, stack="b", of=nothing)
    chosen = newest_of(location, ["a", "b", "c"])
    assert [each.id for each in chosen.sealed_plans] == [newest.id]
    assert chosen.idle == {"b": "no_changes", "c": "no_unused_plan"}


@pytest.mark.parametrize("applied_first", [True, False], ids=["newer applied", "older applied"])
def test_a_plan_that_was_overtaken_is_left_alone(location: Location, applied_first: bool) -> None:
    """Whichever of two was applied, the other cannot hold any more, and is no failure."""
    older, newer = sealed(location.plans, stack="a", now=EARLIER), sealed(location.plans, stack="a")
    applied = newer if applied_first else older
    consume(applied.path, now=NOW + timedelta(seconds=5))
    record_outcome(applied.path, UseState.APPLIED)
    assert newest_of(location, ["a"]).idle == {"a": "older_than_the_last_apply"}
    again = sealed(location.plans, stack="a", now=NOW + timedelta(seconds=10))
    assert [each.id for each in newest_of(location, ["a"]).sealed_plans] == [again.id]


def test_a_failed_apply_overtakes_nothing(location: Location) -> None:
    """Whether it changed the state, the check of the plan itself finds out."""
    older, newer = sealed(location.plans, stack="a", now=EARLIER), sealed(location.plans, stack="a")
    consume(newer.path, now=NOW + timedelta(seconds=5))
    record_outcome(newer.path, UseState.FAILED)
    assert [each.id for each in newest_of(location, ["a"]).sealed_plans] == [older.id]


def test_no_plan_at_all_is_refused(location: Location) -> None:
    """There is nothing that a set could do."""
    with pytest.raises(SealedPlanRefused, match="Next: biomodal-aws plan --all"):
        newest_of(location, ["a", "b"])


def test_an_empty_name_names_no_plan(location: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a script's unset variable, and not the folder where the script runs."""
    monkeypatch.chdir(sealed(location.plans, stack="a").path)
    with pytest.raises(SealedPlanRefused, match='no sealed plan ""'):
        named(location, [""])
