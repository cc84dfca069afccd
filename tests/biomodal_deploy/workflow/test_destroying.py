"""The ledger around a destroy: kept beside the plan, and never in a destroy's way."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from biomodal_deploy.aws.ledger import (
    Fate,
    Ledger,
    Leftovers,
    saved_ledger,
    saved_leftovers,
    search,
)
from biomodal_deploy.aws.ledger.target import Target
from biomodal_deploy.errors import UsageError
from biomodal_deploy.plan import Plan, PlanKind
from biomodal_deploy.plan.sealed import SealedPlan, UseState, consume, record_outcome
from biomodal_deploy.workflow.destroying import list_leftovers, take_ledger
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.stack import Stack
from tests.support.destroyed import DISK, destroy_plan
from tests.support.plans import plan
from tests.support.sealed_plans import NOW, sealed
from tests.support.sealed_project import STACK, sealed_project


def project(
    folder: Path, of: Plan | None = None, environment: Mapping[str, str] = os.environ, **facts: Any
) -> tuple[Stack, SealedPlan]:
    """Return a stack with a sealed destroy plan."""
    where, sealed_plan = sealed_project(
        folder, of or destroy_plan(), kind=PlanKind.DESTROY, **facts
    )
    location = Location.of(where, environment)
    return Stack(
        location=location, name=STACK, directory=location.output / "stacks" / STACK
    ), sealed_plan


def following(stack: Stack, of: Plan) -> SealedPlan:
    """Seal a destroy plan a minute later."""
    at = NOW + timedelta(minutes=1)
    return sealed(stack.location.plans, of=of, now=at, stack=STACK, kind=PlanKind.DESTROY)


def found_by(monkeypatch: pytest.MonkeyPatch, name: str) -> list[Target]:
    """Let nobody be asked, and return the list that fills with what was looked for."""
    seen: list[Target] = []

    def read(subject: Target, *_: object) -> Ledger | Leftovers:
        seen.append(subject)
        if name == "find_leftovers":
            return search.unread_leftovers(subject, "a test")
        return search.unread_ledger(subject, "a test")

    monkeypatch.setattr(search, name, read)
    return seen


def test_a_plan_without_a_region(tmp_path: Path) -> None:
    """Everything is unknown, nothing raises, and it is kept for whoever asks later."""
    stack, sealed_plan = project(tmp_path, region=None)
    ledger = take_ledger(stack, sealed_plan, sealed_plan.plan())
    assert {each.fate for each in ledger.holdings} == {Fate.UNKNOWN}
    assert saved_ledger(sealed_plan.path) == ledger
    remains = list_leftovers(stack, sealed_plan, sealed_plan.plan())
    assert saved_leftovers(sealed_plan.path) == remains
    (entry,) = stack.history.entries()
    assert (entry.event, entry.sealed_plan, entry.message) == (
        "remains",
        sealed_plan.id,
        remains.sentence(),
    )
    assert not (sealed_plan.path / "ledger.json").stat().st_mode & 0o077


def test_another_environment(tmp_path: Path) -> None:
    """With this process's credentials another account would be asked: nobody is."""
    stack, sealed_plan = project(tmp_path, environment={"AWS_PROFILE": "theirs"})
    ledger = take_ledger(stack, sealed_plan, sealed_plan.plan())
    assert all("names other credentials" in each.line for each in ledger.holdings)


def test_broken_aws_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that does not exist is a reason, not an end."""
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    stack, sealed_plan = project(tmp_path)
    ledger = take_ledger(stack, sealed_plan, sealed_plan.plan())
    assert all("no-such-profile" in each.line for each in ledger.holdings)


def test_a_plan_of_nothing(tmp_path: Path) -> None:
    """No state yet, or a stack of something else: nobody is asked, and no history speaks of it."""
    for region in ("eu-west-2", None):
        stack, sealed_plan = project(tmp_path / str(region), of=plan(), region=region)
        ledger = take_ledger(stack, sealed_plan, sealed_plan.plan())
        assert (ledger.holdings, ledger.seconds < 10) == ((), True)
    assert list_leftovers(stack, sealed_plan, sealed_plan.plan()).clean
    assert stack.history.entries() == ()


def test_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is told and not kept; a destroy goes on."""

    def refuse(*_: object) -> None:
        raise UsageError("cannot be written")

    monkeypatch.setattr("biomodal_deploy.workflow.destroying.save_ledger", refuse)
    monkeypatch.setattr("biomodal_deploy.workflow.destroying.save_leftovers", refuse)
    stack, sealed_plan = project(tmp_path, region=None)
    assert take_ledger(stack, sealed_plan, sealed_plan.plan()).holdings
    assert list_leftovers(stack, sealed_plan, sealed_plan.plan()).unread


def test_a_search_that_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The destroy is done: that is what has to be said."""

    def stop(*_: object) -> Leftovers:
        raise KeyboardInterrupt

    monkeypatch.setattr(search, "find_leftovers", stop)
    stack, sealed_plan = project(tmp_path)
    (unread,) = list_leftovers(stack, sealed_plan, sealed_plan.plan()).unread
    assert unread.line == "the search was stopped"


def test_the_second_half_of_a_destroy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the destroy that failed made go is looked for after the one that ended it."""
    seen = found_by(monkeypatch, "find_leftovers")
    stack, first = project(tmp_path)
    consume(first.path)
    record_outcome(first.path, UseState.FAILED, "the repository is not empty")
    rest = destroy_plan({}, bucket="")
    second = following(stack, rest)
    list_leftovers(stack, second, rest)
    assert DISK in seen[-1].volume_ids
    record_outcome(first.path, UseState.APPLIED)
    list_leftovers(stack, second, rest)
    assert seen[-1].volume_ids == ()


def test_another_accounts_destroy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was destroyed elsewhere is not looked for here."""
    seen = found_by(monkeypatch, "find_leftovers")
    stack, first = project(tmp_path, account="999999999999")
    consume(first.path)
    record_outcome(first.path, UseState.FAILED)
    second = following(stack, destroy_plan({}, bucket=""))
    list_leftovers(stack, second, second.plan())
    assert seen[-1].volume_ids == ()


def test_what_is_kept_survives_the_plan_file(tmp_path: Path) -> None:
    """Secrets go when a plan is used; the ledger stays with the record."""
    stack, sealed_plan = project(tmp_path, region=None)
    take_ledger(stack, sealed_plan, sealed_plan.plan())
    consume(sealed_plan.path)
    sealed_plan.drop_plan_file()
    assert saved_ledger(sealed_plan.path)
    assert SealedPlan.load(sealed_plan.path).id == sealed_plan.id
