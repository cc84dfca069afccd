"""Patches of jobs in AWS Batch mend what they say; containers themselves are test_smoke's."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.batch.models import Job

from biomodal_deploy.sandbox.patches import batch_jobs
from tests.support.moto import PROFILE, Use, environment, only, queue


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
    use(batch_jobs.jobs_run_on_hosts)
    job = submit(aws, logConfiguration=logs)
    assert state(aws, job, "FAILED") == "FAILED"
    assert "log group does not exist" in described(aws, job)["container"]["reason"]


def test_disabled_queues_take_no_jobs(aws: Callable[[str], Any], use: Use) -> None:
    """The job is refused, and taken again once the queue is enabled."""
    queue(aws, environment(aws))
    service = aws("batch")
    service.update_job_queue(jobQueue="queue", state="DISABLED")
    submit(aws)
    use(batch_jobs.jobs_wait_for_hosts)
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
    use(batch_jobs.jobs_wait_for_hosts)
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
    use(batch_jobs.environments_need_their_profile)
    assert only(described()["computeEnvironments"])["status"] == "VALID"
    aws("iam").delete_instance_profile(InstanceProfileName=PROFILE.rpartition("/")[2])
    assert only(described()["computeEnvironments"])["status"] == "INVALID"
