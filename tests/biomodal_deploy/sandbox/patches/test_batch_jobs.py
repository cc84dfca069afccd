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


def submit(aws: Callable[[str], Any]) -> str:
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
        },
    )["jobDefinitionArn"]
    submitted = aws("batch").submit_job(jobName="job", jobQueue="queue", jobDefinition=definition)
    return str(submitted["jobId"])


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

    class NoDocker:
        """Has no containers."""

    monkeypatch.setattr(Job, "docker_client", NoDocker())
    arn = environment(aws)
    queue(aws, arn)
    service = aws("batch")
    service.update_compute_environment(computeEnvironment=arn, state="DISABLED")

    def state(job: str, *expected: str) -> str:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            found = str(only(service.describe_jobs(jobs=[job])["jobs"])["status"])
            if found in expected:
                return found
            time.sleep(0.05)
        return found

    assert state(submit(aws), "FAILED") == "FAILED"
    use(batch_jobs.jobs_wait_for_hosts)
    job = submit(aws)
    assert state(job, "RUNNABLE") == "RUNNABLE"
    time.sleep(1)
    assert state(job, "RUNNABLE") == "RUNNABLE"
    service.terminate_job(jobId=job, reason="test")
    assert state(job, "FAILED") == "FAILED"


def test_environments_need_their_profile(aws: Callable[[str], Any], use: Use) -> None:
    """A compute environment is INVALID without its hosts' instance profile."""
    environment(aws)
    described = aws("batch").describe_compute_environments
    use(batch_jobs.environments_need_their_profile)
    assert only(described()["computeEnvironments"])["status"] == "VALID"
    aws("iam").delete_instance_profile(InstanceProfileName=PROFILE.rpartition("/")[2])
    assert only(described()["computeEnvironments"])["status"] == "INVALID"
