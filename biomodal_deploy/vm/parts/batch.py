"""AWS Batch: compute environments and job queues, with Batch's own reason where one is broken."""

from __future__ import annotations

from biomodal_deploy.aws.answer import not_yet
from biomodal_deploy.aws.answers import failed, passed
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.commands import aws
from biomodal_deploy.aws.errors import one_line
from biomodal_deploy.aws.preflight import Answer
from biomodal_deploy.aws.resources import ComputeEnvironment, JobQueue
from biomodal_deploy.vm.parts.finish import gone, not_built


def compute_environment(environment: ComputeEnvironment, clients: Clients) -> Answer:
    """Whether a compute environment is enabled and valid."""
    said = clients.batch().describe_compute_environments(computeEnvironments=[environment.arn])
    name = environment.name
    if not said["computeEnvironments"]:
        return gone(f"the compute environment {name}")
    found = said["computeEnvironments"][0]
    enable = aws(
        "batch",
        "update-compute-environment",
        clients.region,
        "--compute-environment",
        name,
        "--state",
        "ENABLED",
    )
    return _judged(
        f"{name} ({'Spot' if environment.is_spot else 'On-Demand'})",
        found.get("state", "unknown"),
        found.get("status", "unknown"),
        found.get("statusReason", ""),
        enable,
    )


def job_queue(queue: JobQueue, clients: Clients) -> Answer:
    """Whether a job queue is enabled and valid."""
    said = clients.batch().describe_job_queues(jobQueues=[queue.arn])["jobQueues"]
    if not said:
        return gone(f"the job queue {queue.name}")
    enable = aws(
        "batch",
        "update-job-queue",
        clients.region,
        "--job-queue",
        queue.name,
        "--state",
        "ENABLED",
    )
    return _judged(
        queue.name,
        said[0].get("state", "unknown"),
        said[0].get("status", "unknown"),
        said[0].get("statusReason", ""),
        enable,
    )


def missing(title: str) -> Answer:
    """Answer for a part that the state does not hold."""
    return not_built(title.lower())


def _judged(name: str, state: str, status: str, reason: str, enable: str) -> Answer:
    # Batch gives a healthy one a reason too, that it is healthy.
    because = f": {one_line(reason)}" if reason and status != "VALID" else ""
    words = f"{name} is {state}, {status}{because}"
    if status in ("CREATING", "UPDATING"):
        return not_yet(words)
    if status != "VALID":
        return failed(words, "mend what the reason names, then run biomodal-aws plan")
    if state != "ENABLED":
        return failed(words, enable)
    return passed(words)
