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


class TestImages:
    """A repository's lifecycle policy deletes images that exist before it."""

    def test_a_new_policy_on_a_repository_that_exists(self) -> None:
        """Also those that a pipeline pins by digest."""
        (line,) = lines(resource(IMAGES, "create", None, images(14)))
        assert "14 days" in line
        assert "digest" in line

    def test_a_stricter_policy(self) -> None:
        """Fewer days, replaced or updated; and any image is an untagged one too."""
        assert lines(resource(IMAGES, "update", images(14), images(7)))
        assert lines(resource(IMAGES, "replace", images(14), images(7, "any")))

    def test_nothing_is_lost_otherwise(self) -> None:
        """A new repository is empty, more days delete less, and so does no policy."""
        new = (
            resource(REPOSITORY, "create", None, {"name": "lab"}),
            resource(IMAGES, "create", None, images(14)),
        )
        assert lines(*new) == []
        assert lines(resource(IMAGES, "update", images(7), images(14))) == []
        assert lines(resource(IMAGES, "delete", images(7), None)) == []


class TestObjects:
    """A bucket's lifecycle rules act on what it holds already."""

    @pytest.mark.parametrize("after", [rules(nf=30), None])
    def test_former_versions_stay_and_bill_once_their_rule_goes(self, after: Any) -> None:
        """Whether other rules stay or none."""
        action = "update" if after else "delete"
        (line,) = lines(resource(OBJECTS, action, rules(former=30, nf=30), after))
        assert "former versions" in line
        assert "billed" in line

    def test_a_new_or_stricter_rule_deletes_what_is_there(self) -> None:
        """By prefix, with its days."""
        assert "20 days" in lines(resource(OBJECTS, "update", rules(nf=30), rules(nf=20)))[0]
        assert "30 days" in lines(resource(OBJECTS, "create", None, rules(nf=30)))[0]
        (line,) = lines(resource(OBJECTS, "update", rules(), rules(former=30)))
        assert "former versions" in line

    def test_nothing_is_lost_otherwise(self) -> None:
        """More days, a new bucket, and one that goes with everything in it."""
        assert lines(resource(OBJECTS, "update", rules(nf=20), rules(nf=30))) == []
        for action, before, after in (("create", None, {}), ("delete", {}, None)):
            bucket = {"bucket": "lab"}
            both = (
                resource(BUCKET, action, before and bucket, bucket if after == {} else None),
                resource(OBJECTS, action, before and rules(former=3), after and rules(nf=3)),
            )
            assert lines(*both) == []


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [(60, 30, True), (0, 30, True), (30, 60, False), (30, 0, False), (30, 30, False)],
)
def test_a_shorter_retention_deletes_log_events(before: int, after: int, lost: bool) -> None:
    """0 keeps them for ever."""
    days = ({"retention_in_days": number} for number in (before, after))
    assert bool(lines(resource("aws_cloudwatch_log_group.tasks", "update", *days))) is lost


def test_dockers_socket_stays_open_until_the_vm_restarts() -> None:
    """The start-up script of a VM that exists does not run again."""
    tokens = ({"metadata_options": [{"http_tokens": word}]} for word in ("optional", "required"))
    (line,) = lines(resource("aws_instance.vm", "update", *tokens))
    assert "docker.sock" in line
    assert "restarts" in line


def test_another_instance_type_stops_the_vm() -> None:
    """And Nextflow with it."""
    types = ({"instance_type": kind} for kind in ("t3.large", "t3.xlarge"))
    (line,) = lines(resource("aws_instance.vm", "update", *types))
    assert "stops" in line


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
