"""`jobs`: what runs and waits in the queues of a stack, since when, and why it waits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, cast

from botocore.exceptions import BotoCoreError, ClientError

from biomodal_deploy.aws.checks import Finding, Unavailable, Verdict, run_all, unknown
from biomodal_deploy.aws.clients import Clients, open_clients
from biomodal_deploy.aws.commands import START_VM, aws
from biomodal_deploy.aws.errors import one_line
from biomodal_deploy.aws.machines import describe_machine
from biomodal_deploy.aws.resources import JobQueue
from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS
from biomodal_deploy.vm.built import Built, read_built
from biomodal_deploy.vm.waiting import why_runnable
from biomodal_deploy.workflow.signals import Listener, Step
from biomodal_deploy.workflow.stack import Stack

# Batch's words for jobs that have not ended, in a job's order.
ACTIVE: Final = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")
_SECONDS: Final = 20.0


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job that has not ended.

    Attributes:
        id: Its id.
        name: Its name.
        queue: The queue that it is in.
        state: Batch's word.
        since: When it was started, or submitted where it waits.
        reason: Why it waits; None where it runs.
        cancel: The command that ends it.
    """

    id: str
    name: str
    queue: str
    state: str
    since: datetime
    reason: str | None
    cancel: str

    def as_data(self) -> dict[str, str | None]:
        """Return it as plain JSON values."""
        return {
            "id": self.id,
            "name": self.name,
            "queue": self.queue,
            "state": self.state,
            "since": self.since.isoformat(timespec="seconds"),
            "reason": self.reason,
            "cancel": self.cancel,
        }


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """All jobs of a stack that have not ended.

    Attributes:
        stack: The stack.
        region: Its region.
        jobs: The jobs, queue by queue, those that run last.
        problems: What else needs attention: queues that did not answer, jobs without their VM.
    """

    stack: str
    region: str
    jobs: tuple[Job, ...]
    problems: tuple[Finding, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many jobs are in each state."""
        found = Counter(job.state for job in self.jobs)
        return {state: found[state] for state in ACTIVE}

    @property
    def exit_status(self) -> int:
        """The exit status that it stands for."""
        return EXIT_FINDINGS if self.problems else EXIT_DONE

    def as_data(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {
            "stack": self.stack,
            "region": self.region,
            "counts": self.counts,
            "jobs": [job.as_data() for job in self.jobs],
            "problems": [each.as_data() for each in self.problems],
        }


def jobs_of(stack: Stack, listen: Listener) -> Jobs:
    """Return the jobs of a stack.

    Raises:
        UsageError: Nothing is applied yet.
        EngineError: Terraform cannot read the state.
    """
    built = read_built(stack, listen)
    listen(Step("Asking AWS Batch"))
    return find_jobs(built, open_clients(built.region))


def find_jobs(built: Built, clients: Clients) -> Jobs:
    """Ask Batch for the jobs that have not ended; nothing is changed.

    Args:
        built: The stack as it was applied.
        clients: How to ask.
    """
    asked = [partial(_jobs_in, built, queue, clients) for queue in built.queues]
    found: list[Job] = []
    problems: list[Finding] = []
    for number, result in sorted(run_all(asked, clients, _SECONDS), key=lambda each: each[0]):
        if isinstance(result, Unavailable):
            name = built.queues[number].name
            finding = unknown(f"the jobs in {name} are unknown: {result.line}", result.fix)
            problems.append(finding.named("jobs", "Jobs"))
        else:
            found += result
    if found and (orphaned := _orphans(built, clients)):
        problems.append(orphaned.named("orphans", "Orphans"))
    return Jobs(stack=built.stack, region=built.region, jobs=tuple(found), problems=tuple(problems))


def _jobs_in(built: Built, queue: JobQueue, clients: Clients) -> list[Job]:
    pages = clients.batch().get_paginator("list_jobs")
    said = [
        cast(dict[str, Any], summary)
        for state in ACTIVE
        for page in pages.paginate(jobQueue=queue.arn, jobStatus=state)
        for summary in page["jobSummaryList"]
    ]
    waits = any(each.get("status") == "RUNNABLE" for each in said)
    blocked = why_runnable(built, queue, clients) if waits else ""
    return [_job(each, queue, blocked, clients.region) for each in said]


def _job(said: dict[str, Any], queue: JobQueue, blocked: str, region: str) -> Job:
    state, job_id = said.get("status", "unknown"), said["jobId"]
    reason = one_line(said.get("statusReason", "")) or None
    if state == "RUNNABLE":
        reason = reason or blocked
    elif state == "PENDING":
        reason = reason or "it waits for the jobs that it depends on"
    # Milliseconds; a job that waits has no start yet.
    since = datetime.fromtimestamp((said.get("startedAt") or said["createdAt"]) / 1000, UTC)
    return Job(
        id=job_id,
        name=one_line(said["jobName"]),
        queue=queue.name,
        state=state,
        since=since,
        reason=reason,
        # Ends a job in any state, where cancel-job passes over those that have started.
        cancel=aws("batch", "terminate-job", region, "--job-id", job_id, "--reason", "cancelled"),
    )


def _orphans(built: Built, clients: Clients) -> Finding | None:
    """Return that the VM, on which Nextflow runs, is not running."""
    try:
        vm = describe_machine(clients, built.vm.id) if built.vm else None
    except (BotoCoreError, ClientError) as error:
        return unknown(f"whether the VM runs is unknown: {one_line(str(error))}")
    if vm and vm.state in ("pending", "running"):
        return None
    state = vm.state if vm else "gone"
    fix = START_VM if state == "stopped" else None
    return Finding(
        Verdict.WARNING,
        f"the VM is {state}: jobs that its Nextflow started have nobody who waits for them",
        fix or "cancel the jobs that nobody waits for",
    )
