"""What a state says was built, for both implementations, whole or half done."""

from __future__ import annotations

import pytest

from biomodal_deploy.engine.terraform import State
from biomodal_deploy.errors import EngineError, UsageError
from biomodal_deploy.vm.deployed import built_from
from tests.support.operated import (
    NAME,
    REGION,
    VM,
    arn,
    deployed,
    documented,
    environment,
    hardened,
    queue,
    state_text,
)


def test_in_a_module_it_is_the_same() -> None:
    """The upstream module's resources are found wherever they lie in the state."""
    inside = built_from("lab", State.model_validate_json(state_text(module="module.bootstrap")))
    assert inside == deployed()
    assert (inside.vm.id if inside.vm else None, inside.region, inside.bucket) == (VM, REGION, NAME)


def test_attributes_of_both_provider_versions() -> None:
    """Provider 6 calls an environment's name `name`; 5 lists a queue's environments in two ways."""
    renamed = environment()
    renamed["name"] = renamed.pop("compute_environment_name")
    older = queue(f"{NAME}-job-queue") | {
        "compute_environments": [arn("batch", f"compute-environment/{NAME}")],
        "compute_environment_order": None,
    }
    found = deployed(
        {**documented(), "aws_batch_compute_environment": [renamed], "aws_batch_job_queue": [older]}
    )
    assert found.environments[0].name == NAME
    assert found.queue_for(spot=True) == found.queues[0]
    assert found.queue_for(spot=False) is None


def test_queues_by_kind() -> None:
    """A queue is told by the hosts behind it, not by its name or place."""
    found = deployed(hardened())
    spot, on_demand = found.queue_for(spot=True), found.queue_for(spot=False)
    assert spot
    assert spot.name == f"{NAME}-job-queue"
    assert on_demand
    assert on_demand.name == f"{NAME}-job-queue-on-demand"


def test_half_an_apply() -> None:
    """What is missing is None, and whoever needs it is told what to do."""
    found = deployed({"aws_ecr_repository": [{"name": NAME}]}, {})
    assert (found.vm, found.bucket) == (None, None)
    with pytest.raises(UsageError, match="run biomodal-aws plan, then biomodal-aws apply"):
        found.output("public_ip")
    with pytest.raises(UsageError, match="nothing to operate"):
        _ = found.region


def test_a_broken_state_shows_nothing_of_itself() -> None:
    """States hold secrets: the error names the type and the attribute, and no value."""
    with pytest.raises(EngineError) as caught:
        deployed({"aws_instance": [{"id": VM, "arn": 7, "password": "s3cret"}]})
    assert "aws_instance" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_role_for_tasks() -> None:
    """It is the one that ECS may assume; broken policies are none."""
    trust = '{"Statement":[{"Principal":{"Service":["ecs-tasks.amazonaws.com"]}}]}'
    tasks = "arn:aws:iam::123456789012:role/tasks"
    roles = [
        {"name": "odd", "arn": "arn:aws:iam::123456789012:role/odd", "assume_role_policy": "{"},
        {"name": "tasks", "arn": tasks, "assume_role_policy": trust},
    ]
    role = deployed({**documented(), "aws_iam_role": roles}).job_role()
    assert role
    assert role.arn == tasks
    assert deployed().job_role() is None
