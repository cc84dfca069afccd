"""Tests for biomodal_deploy.plan.consequences: losses that no delete in a plan shows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from biomodal_deploy.plan import PlanKind
from biomodal_deploy.plan.consequences import consequences, ending_jobs
from biomodal_deploy.plan.guards import Outcome, judge
from tests.support.plans import plan, resource

REPOSITORY = "aws_ecr_repository.images"
IMAGES = "aws_ecr_lifecycle_policy.images"
BUCKET = "aws_s3_bucket.data"
OBJECTS = "aws_s3_bucket_lifecycle_configuration.data"
ENVIRONMENT = "aws_batch_compute_environment.batch"


def lines(*resources: Any) -> list[str]:
    """Return what is said of a plan."""
    return [each.line for each in consequences(plan(*resources))]


def images(days: int, status: str = "untagged") -> dict[str, Any]:
    """Return a lifecycle policy of a repository."""
    selection = {"tagStatus": status, "countType": "sinceImagePushed", "countNumber": days}
    return {"repository": "lab", "policy": json.dumps({"rules": [{"selection": selection}]})}


def counted(number: int) -> dict[str, Any]:
    """Return a lifecycle policy that keeps so many images."""
    return {"policy": images(number)["policy"].replace("sinceImagePushed", "imageCountMoreThan")}


def expires(filter_: Any = (), **expiration: Any) -> list[dict[str, Any]]:
    """Return a rule of a bucket on its own."""
    return [{"status": "Enabled", "filter": [filter_ or {}], "expiration": [expiration]}]


SOON = expires(days=1)
LATER = expires(days=300)
OVER = expires({"and": [{"prefix": "raw/"}]}, date="2020-01-01T00:00:00Z")


def rules(*, former: int | None = None, **current: int) -> dict[str, Any]:
    """Return a bucket's lifecycle configuration: days by prefix, and for former versions."""
    found: list[dict[str, Any]] = [
        {"status": "Enabled", "filter": [{"prefix": prefix}], "expiration": [{"days": days}]}
        for prefix, days in current.items()
    ]
    if former:
        gone = [{"noncurrent_days": former}]
        found.append({"status": "Enabled", "noncurrent_version_expiration": gone})
    return {"bucket": "lab", "rule": found}


LOGS = "aws_cloudwatch_log_group.tasks"
MACHINE = "aws_instance.vm"
OPTIONAL, REQUIRED = (
    {"metadata_options": [{"http_tokens": word}]} for word in ("optional", "required")
)
LARGE, LARGER = ({"instance_type": kind} for kind in ("t3.large", "t3.xlarge"))
LOST: dict[str, tuple[Any, tuple[str, ...]]] = {
    # A repository's lifecycle policy deletes images that exist before it, pinned by digest too.
    "a new policy": (resource(IMAGES, "create", None, images(14)), ("14 days", "digest")),
    "fewer days": (resource(IMAGES, "update", images(14), images(7)), ()),
    "any image": (resource(IMAGES, "replace", images(14), images(7, "any")), ()),
    "so many images": (resource(IMAGES, "update", images(14), counted(3)), ("more than 3",)),
    # A bucket's rules act on what it holds already; former versions stay and bill without one.
    "no rule for versions": (
        resource(OBJECTS, "update", rules(former=30, nf=30), rules(nf=30)),
        ("former versions", "billed"),
    ),
    "no rules": (
        resource(OBJECTS, "delete", rules(former=30, nf=30), None),
        ("former versions", "billed"),
    ),
    "stricter": (resource(OBJECTS, "update", rules(nf=30), rules(nf=20)), ("20 days",)),
    "new": (resource(OBJECTS, "create", None, rules(nf=30)), ("30 days",)),
    "the stricter of two": (
        resource(OBJECTS, "update", {"rule": LATER}, {"rule": [*SOON, *LATER]}),
        ("1 days", "whole bucket"),
    ),
    "from a day on": (
        resource(OBJECTS, "update", {"rule": LATER}, {"rule": [*LATER, *OVER]}),
        ("2020-01-01", "raw/"),
    ),
    "a new rule for versions": (
        resource(OBJECTS, "update", rules(), rules(former=30)),
        ("former versions",),
    ),
    # The start-up script of a VM that exists does not run again: the socket stays open until then.
    "tokens": (resource(MACHINE, "update", OPTIONAL, REQUIRED), ("docker.sock", "restarts")),
    "another type": (resource(MACHINE, "update", LARGE, LARGER), ("stops",)),
}


@pytest.mark.parametrize(("change", "words"), LOST.values(), ids=LOST)
def test_what_a_change_takes_away(change: Any, words: tuple[str, ...]) -> None:
    """One line, with its days or its time."""
    (line,) = lines(change)
    assert [word for word in words if word not in line] == []


def test_another_repository_does_not_hide_what_one_loses() -> None:
    """New is the repository that the policy names, or none."""
    other = resource(REPOSITORY, "create", None, {"name": "other"})
    assert len(lines(other, resource(IMAGES, "create", None, images(14)))) == 1


BOTH = {"bucket": "lab"}
KEPT: dict[str, tuple[Any, ...]] = {
    "a new repository": (
        resource(REPOSITORY, "create", None, {"name": "lab"}),
        resource(IMAGES, "create", None, images(14)),
    ),
    "images for more days": (resource(IMAGES, "update", images(7), images(14)),),
    "no policy": (resource(IMAGES, "delete", images(7), None),),
    "objects for more days": (resource(OBJECTS, "update", rules(nf=20), rules(nf=30)),),
    "a new bucket": (
        resource(BUCKET, "create", None, BOTH),
        resource(OBJECTS, "create", None, rules(nf=3)),
    ),
    "a bucket that goes with everything in it": (
        resource(BUCKET, "delete", BOTH, None),
        resource(OBJECTS, "delete", rules(former=3), None),
    ),
}


@pytest.mark.parametrize("changes", KEPT.values(), ids=KEPT)
def test_nothing_is_lost_otherwise(changes: tuple[Any, ...]) -> None:
    """What is new is empty, more days delete less, and so does no policy."""
    assert lines(*changes) == []


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [(60, 30, True), (0, 30, True), (30, 60, False), (30, 0, False), (30, 30, False)],
)
def test_a_shorter_retention_deletes_log_events(before: int, after: int, lost: bool) -> None:
    """0 keeps them for ever."""
    days = ({"retention_in_days": number} for number in (before, after))
    assert bool(lines(resource(LOGS, "update", *days))) is lost


def hosts(**settings: Any) -> dict[str, Any]:
    """Return a compute environment."""
    return {"arn": "arn:batch", "compute_resources": [{"max_vcpus": 256, **settings}]}


@pytest.mark.parametrize(
    ("action", "after", "ends"),
    [
        ("replace-create-first", hosts(), True),
        ("delete", None, True),
        ("update", hosts(instance_type=["m6i"]), True),
        ("update", hosts(max_vcpus=128), False),
        ("update", hosts() | {"state": "DISABLED"}, False),
    ],
)
def test_jobs_that_a_change_of_their_environment_ends(action: str, after: Any, ends: bool) -> None:
    """Other hosts end them, another scale does not; nothing is said where none is at work."""
    changed = plan(resource(ENVIRONMENT, action, hosts(), after))
    assert [change.address for change, _ in ending_jobs(changed)] == [ENVIRONMENT] * ends
    assert consequences(changed, {}) == consequences(changed, {ENVIRONMENT: 0}) == []
    found = consequences(changed, {ENVIRONMENT: 3})
    assert [each.line.startswith("3 jobs at work") for each in found] == [True] * ends


@pytest.mark.parametrize(("before", "after", "told"), [(8, 0, True), (0, 8, False), (8, 8, False)])
def test_fewer_vcpus_than_batch_runs_are_refused(before: int, after: int, told: bool) -> None:
    """The module sets 0: a plan that is made while jobs run wants Batch's own number back."""
    both = (hosts(desired_vcpus=number, max_vcpus=256 + number) for number in (before, after))
    found = lines(resource(ENVIRONMENT, "update", *both))
    assert [f"desired_vcpus {before} -> {after}" in each for each in found] == [True] * told
    assert all("biomodal-aws jobs" in each for each in found)


def test_the_minutes_are_those_of_the_update_policy() -> None:
    """30 where it names none: AWS Batch's default."""
    policy = {"update_policy": [{"job_execution_timeout_minutes": 360}]}
    for more, minutes in (({}, "30 minutes"), (policy, "360 minutes")):
        after = hosts(instance_type=["m6i"]) | more
        ((_, how),) = ending_jobs(plan(resource(ENVIRONMENT, "update", hosts() | more, after)))
        assert minutes in how


def test_they_are_notices_of_the_guard() -> None:
    """Sealed with the plan, and shown by every report; a destroy's ledger says more than they."""
    changed = plan(resource(IMAGES, "create", None, images(14)))
    (verdict,) = (each for each in judge(changed) if each.rule == "consequence")
    assert (verdict.outcome, verdict.address) == (Outcome.NOTICE, IMAGES)
    kinds = [each.rule for each in judge(changed, kind=PlanKind.DESTROY)]
    assert "consequence" not in kinds
