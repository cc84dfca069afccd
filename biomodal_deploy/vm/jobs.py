"""`jobs`: what runs and waits in the queues of a stack, since when, why, and at what cost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
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
from biomodal_deploy.review.cost import Prices, vcpu_ceiling
from biomodal_deploy.review.cost.resources import Hosts
from biomodal_deploy.vm.built import Built, read_built
from biomodal_deploy.vm.waiting import why_runnable
from biomodal_deploy.workflow.signals import Listener, Step
from biomodal_deploy.workflow.stack import Stack

# Batch's words for jobs that have not ended, in a job's order.
ACTIVE: Final = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")
_SECONDS: Final = 20.0
_UNASKED: Final = "jobs"
# As many as DescribeJobs takes.
_DESCRIBED: Final = 100


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
        runs: Whether it, or a job of the array that it stands for, may cost something.
        cost: What it has cost so far at most, in US dollars; None where it does not run, or that
            is not known.
    """

    id: str
    name: str
    queue: str
    state: str
    since: datetime
    reason: str | None
    cancel: str
    runs: bool
    cost: float | None = None

    def as_data(self) -> dict[str, str | float | None]:
        """Return it as plain JSON values."""
        return {
            "id": self.id,
            "name": self.name,
            "queue": self.queue,
            "state": self.state,
            "since": self.since.isoformat(timespec="seconds"),
            "reason": self.reason,
            "cancel": self.cancel,
            "cost_usd": self.cost,
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
    def cost(self) -> float | None:
        """What all that run have cost at most; None where that of one of them is not known."""
        known = [job.cost for job in self.jobs if job.runs]
        unasked = any(each.check == _UNASKED for each in self.problems)
        return None if None in known or unasked else round(sum(each or 0.0 for each in known), 4)

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
            "cost_usd": self.cost,
            "jobs": [job.as_data() for job in self.jobs],
            "problems": [each.as_data() for each in self.problems],
        }


def jobs_of(stack: Stack, on_event: Listener) -> Jobs:
    """Return the jobs of a stack.

    Raises:
        UsageError: Nothing is applied yet.
        EngineError: Terraform cannot read the state.
    """
    built = read_built(stack, on_event)
    on_event(Step("Asking AWS Batch"))
    clients = open_clients(built.region)
    found = find_jobs(built, clients)
    return with_costs(found, built, clients, Prices.of(built.region, stack.location.project_dir))


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
            problems.append(finding.named(_UNASKED, "Jobs"))
        else:
            found += result
    if found and (orphaned := _orphans(built, clients)):
        problems.append(orphaned.named("orphans", "Orphans"))
    return Jobs(stack=built.stack, region=built.region, jobs=tuple(found), problems=tuple(problems))


def with_costs(found: Jobs, built: Built, clients: Clients, prices: Prices) -> Jobs:
    """Return jobs with what they have cost: their vCPUs for as long as they run.

    At the dearest price of a vCPU in the families that their queue may use, since what hosts they
    are on is not looked up.

    Args:
        found: The jobs.
        built: The stack as it was applied.
        clients: How to ask for the vCPUs.
        prices: The prices of the region.
    """
    rates = {queue.name: _rate(built, queue, prices) for queue in built.queues}
    wanted = [job.id for job in found.jobs if job.runs and rates[job.queue] is not None]
    now = datetime.now(UTC)
    vcpus: dict[str, float] = {}
    parts = [wanted[start : start + _DESCRIBED] for start in range(0, len(wanted), _DESCRIBED)]
    asked = [partial(_vcpus, part, clients) for part in parts]
    for _, result in run_all(asked, clients, _SECONDS):
        if not isinstance(result, Unavailable):
            vcpus |= result

    def cost(job: Job) -> float | None:
        rate, cpus = rates[job.queue], vcpus.get(job.id)
        if rate is None or cpus is None:
            return None
        return round(rate * cpus * max(0.0, (now - job.since).total_seconds()) / 3600, 4)

    return replace(found, jobs=tuple(replace(job, cost=cost(job)) for job in found.jobs))


def _rate(built: Built, queue: JobQueue, prices: Prices) -> float | None:
    """Return the most that a vCPU of a queue costs an hour; None where a family has no price."""
    found = [
        vcpu_ceiling(Hosts.model_validate(each.model_dump(mode="json")), prices)
        for environment in built.environments
        if environment.arn in queue.environment_arns
        for each in environment.compute_resources
    ]
    known = [price.amount for price in found if price]
    return max(known) if known and len(known) == len(found) else None


def _vcpus(ids: list[str], clients: Clients) -> dict[str, float]:
    """Return how many vCPUs each job has; without those that have several containers."""
    found = {}
    for each in clients.batch().describe_jobs(jobs=ids)["jobs"]:
        container = each.get("container", {})
        required = [
            float(need["value"])
            for need in container.get("resourceRequirements", [])
            if need["type"] == "VCPU"
        ]
        number = required[0] if required else container.get("vcpus")
        if number and "nodeProperties" not in each and "arrayProperties" not in each:
            found[each["jobId"]] = float(number)
    return found


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
        runs=state == "RUNNING" or "arrayProperties" in said,
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
