"""Patches of AWS Batch fix what they say: the same calls go wrong without them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.batch.models import Job

from biomodal_deploy.sandbox.patches import batch, services
from tests.support.moto import PROFILE, Use, environment, only, queue


def test_service_role_is_optional(aws: Callable[[str], Any], use: Use) -> None:
    """A compute environment without a service role gets the service-linked one, made if need be."""
    with pytest.raises(ClientError, match="ServiceRole is required"):
        environment(aws, serviceRole="")
    use(services.service_linked_role_names)
    use(batch.service_role_is_optional)
    environment(aws, serviceRole="")
    environment(aws, serviceRole="", computeEnvironmentName="second")
    role = aws("iam").get_role(RoleName="AWSServiceRoleForBatch")["Role"]["Arn"]
    shown = aws("batch").describe_compute_environments()["computeEnvironments"]
    assert [each["serviceRole"] for each in shown] == [role, role]
    with pytest.raises(ClientError, match="Could not find IAM role"):
        environment(aws, serviceRole=f"{role}x", computeEnvironmentName="third")


def test_compute_resources_are_updated(aws: Callable[[str], Any], use: Use) -> None:
    """What UpdateComputeEnvironment names is changed, and the rest stays."""
    arn = environment(aws)
    service = aws("batch")

    def resources() -> tuple[int, list[str]]:
        service.update_compute_environment(
            computeEnvironment=arn, computeResources={"maxvCpus": 128}
        )
        shown = only(service.describe_compute_environments()["computeEnvironments"])
        return shown["computeResources"]["maxvCpus"], shown["computeResources"]["instanceTypes"]

    assert resources() == (256, ["optimal"])
    use(batch.compute_resources_are_updated)
    assert resources() == (128, ["optimal"])


def test_update_policy_is_kept(aws: Callable[[str], Any], use: Use) -> None:
    """An update policy is shown as it was set, at creation and later."""
    service = aws("batch")

    def shown() -> dict[str, Any] | None:
        (described,) = service.describe_compute_environments()["computeEnvironments"]
        policy: dict[str, Any] | None = described.get("updatePolicy")
        return policy

    first = {"jobExecutionTimeoutMinutes": 30, "terminateJobsOnUpdate": False}
    arn = environment(aws)
    service.update_compute_environment(computeEnvironment=arn, updatePolicy=first)
    assert shown() is None
    use(batch.update_policy_is_kept)
    assert shown() is None
    service.update_compute_environment(computeEnvironment=arn, updatePolicy=first)
    assert shown() == first
    service.update_compute_environment(computeEnvironment=arn, state="DISABLED")
    assert shown() == first


def test_queue_time_limits_are_kept(aws: Callable[[str], Any], use: Use) -> None:
    """A queue shows its time limits as they were set, at creation and later."""
    service = aws("batch")
    limit = {"reason": "full", "state": "RUNNABLE", "maxTimeSeconds": 600, "action": "CANCEL"}

    def shown() -> list[dict[str, Any]]:
        described = only(service.describe_job_queues()["jobQueues"])
        limits: list[dict[str, Any]] = described.get("jobStateTimeLimitActions", [])
        return limits

    arn = environment(aws)
    queue(aws, arn, jobStateTimeLimitActions=[limit])
    assert shown() == []
    use(batch.queue_time_limits_are_kept)
    service.update_job_queue(jobQueue="queue", jobStateTimeLimitActions=[limit])
    assert shown() == [limit]
    service.update_job_queue(jobQueue="queue", priority=2)
    assert shown() == [limit]
    service.update_job_queue(jobQueue="queue", jobStateTimeLimitActions=[])
    assert shown() == []


def test_deletes_in_order(aws: Callable[[str], Any], use: Use) -> None:
    """A queue and an environment go only disabled, and the environment only without its queue."""
    service = aws("batch")
    arn = environment(aws)
    queue(aws, arn)
    other = environment(aws, computeEnvironmentName="other")
    service.delete_compute_environment(computeEnvironment=other)  # enabled, and moto lets it go
    use(batch.deletes_in_order)
    with pytest.raises(ClientError, match="state must be DISABLED"):
        service.delete_compute_environment(computeEnvironment=arn)
    service.update_compute_environment(computeEnvironment=arn, state="DISABLED")
    with pytest.raises(ClientError, match="found existing JobQueue relationship"):
        service.delete_compute_environment(computeEnvironment=arn)
    with pytest.raises(ClientError, match="state must be DISABLED"):
        service.delete_job_queue(jobQueue="queue")
    service.update_job_queue(jobQueue="queue", state="DISABLED")
    service.delete_job_queue(jobQueue="queue")
    service.delete_compute_environment(computeEnvironment=arn)
    assert service.describe_compute_environments()["computeEnvironments"] == []


def test_deleted_clusters_are_gone(aws: Callable[[str], Any], use: Use) -> None:
    """A compute environment's cluster goes with it."""
    arn = environment(aws)
    clusters = aws("ecs")
    assert len(clusters.list_clusters()["clusterArns"]) == 1
    aws("batch").delete_compute_environment(computeEnvironment=arn)
    assert len(clusters.list_clusters()["clusterArns"]) == 1
    use(batch.deleted_clusters_are_gone)
    assert clusters.list_clusters()["clusterArns"] == []


class NoDocker:
    """Has no containers."""


def submit(aws: Callable[[str], Any], **more: Any) -> str:
    """Submit a job and return its id."""
    definition = aws("batch").register_job_definition(
        jobDefinitionName="job",
        type="container",
        containerProperties={
            "image": "localhost/none:1",
            "resourceRequirements": [
                {"type": "VCPU", "value": "1"},
                {"type": "MEMORY", "value": "512"},
            ],
            **more,
        },
    )["jobDefinitionArn"]
    submitted = aws("batch").submit_job(jobName="job", jobQueue="queue", jobDefinition=definition)
    return str(submitted["jobId"])


def described(aws: Callable[[str], Any], job: str) -> Any:
    """Return a job as Batch describes it."""
    return only(aws("batch").describe_jobs(jobs=[job])["jobs"])


def state(aws: Callable[[str], Any], job: str, *expected: str) -> str:
    """Return a job's state, once it is as expected or twenty seconds are over."""
    deadline = time.monotonic() + 20
    while (found := str(described(aws, job)["status"])) not in expected:
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return found


def test_jobs_run_on_hosts(
    aws: Callable[[str], Any], use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container that could not start says why: here its log group is not there."""
    monkeypatch.setattr(Job, "docker_client", property(lambda _: NoDocker()))
    queue(aws, environment(aws))
    logs = {"logDriver": "awslogs", "options": {"awslogs-group": "/not/there"}}
    job = submit(aws, logConfiguration=logs)
    assert state(aws, job, "FAILED") == "FAILED"
    assert "reason" not in described(aws, job)["container"]
    use(batch.jobs_run_on_hosts)
    job = submit(aws, logConfiguration=logs)
    assert state(aws, job, "FAILED") == "FAILED"
    assert "log group does not exist" in described(aws, job)["container"]["reason"]


def test_disabled_queues_take_no_jobs(aws: Callable[[str], Any], use: Use) -> None:
    """The job is refused, and taken again once the queue is enabled."""
    queue(aws, environment(aws))
    service = aws("batch")
    service.update_job_queue(jobQueue="queue", state="DISABLED")
    submit(aws)
    use(batch.jobs_wait_for_hosts)
    with pytest.raises(ClientError, match="disabled"):
        submit(aws)
    service.update_job_queue(jobQueue="queue", state="ENABLED")
    assert submit(aws)


def test_jobs_wait_for_hosts(
    aws: Callable[[str], Any], use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job stays RUNNABLE while its environment is disabled, and ends when it is terminated."""
    monkeypatch.setattr(Job, "docker_client", property(lambda _: NoDocker()))
    arn = environment(aws)
    queue(aws, arn)
    service = aws("batch")
    service.update_compute_environment(computeEnvironment=arn, state="DISABLED")

    assert state(aws, submit(aws), "FAILED") == "FAILED"
    use(batch.jobs_wait_for_hosts)
    job = submit(aws)
    assert state(aws, job, "RUNNABLE") == "RUNNABLE"
    time.sleep(1)
    assert state(aws, job, "RUNNABLE") == "RUNNABLE"
    service.terminate_job(jobId=job, reason="test")
    assert state(aws, job, "FAILED") == "FAILED"


def test_environments_need_their_profile(aws: Callable[[str], Any], use: Use) -> None:
    """A compute environment is INVALID without its hosts' instance profile."""
    environment(aws)
    described = aws("batch").describe_compute_environments
    use(batch.environments_need_their_profile)
    assert only(described()["computeEnvironments"])["status"] == "VALID"
    aws("iam").delete_instance_profile(InstanceProfileName=PROFILE.rpartition("/")[2])
    assert only(described()["computeEnvironments"])["status"] == "INVALID"
