"""`jobs`: what runs and waits in the queues of a stack, since when, why, and at what cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Final, cast

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, Field, PlainSerializer

from biomodal_deploy.aws.checks import CheckData, Finding, Unavailable, Verdict, run_all, unknown
from biomodal_deploy.aws.clients import Clients, open_clients
from biomodal_deploy.aws.commands import START_VM, aws
from biomodal_deploy.aws.errors import one_line
from biomodal_deploy.aws.resources import JobQueue, describe_instance
from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS
from biomodal_deploy.review.cost import Prices
from biomodal_deploy.review.cost.estimate import vcpu_ceiling
from biomodal_deploy.review.cost.resources import Hosts
from biomodal_deploy.vm.deployed import Deployed, read_deployed
from biomodal_deploy.vm.runnable_jobs import why_runnable
from biomodal_deploy.workflow.location import Listener, Step
from biomodal_deploy.workflow.stack import Stack

# Batch's words for jobs that have not ended, in a job's order.
ACTIVE: Final = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")
_SECONDS: Final = 20.0
_UNASKED: Final = "jobs"
# As many as DescribeJobs takes.
_DESCRIBED: Final = 100


class JobData(BaseModel, frozen=True):
    """A job that has not ended.

    Attributes:
        id: Its id.
        name: Its name.
        queue: The queue that it is in.
        state: Batch's word, such as `RUNNABLE`.
        since: When it started, or was submitted where it waits.
        reason: Why it waits; null where it runs.
        cancel: The command that cancels it.
        cost_usd: What it has cost so far at most, its vCPUs at the dearest price of its queue's
            families; null where it does not run, or that is not known.
        runs: Whether it, or a job of the array that it stands for, may cost something.
    """

    id: str
    name: str
    queue: str
    state: str
    since: Annotated[
        datetime, PlainSerializer(partial(datetime.isoformat, timespec="seconds"), return_type=str)
    ]
    reason: str | None
    cancel: str
    cost_usd: float | None
    runs: bool = Field(exclude=True)


class JobsData(BaseModel, frozen=True):
    """The jobs that run or wait in a stack's queues.

    Attributes:
        stack: The stack.
        region: Where it is.
        counts: How many jobs are in each state.
        cost_usd: What those that run have cost so far at most; null where one's is not known.
        jobs: Each job.
        problems: Queues that did not answer, and jobs that are left without their VM.
    """

    stack: str
    region: str
    counts: dict[str, int]
    cost_usd: float | None
    jobs: tuple[JobData, ...]
    problems: tuple[CheckData, ...]

    @classmethod
    def of(
        cls, deployed: Deployed, jobs: Sequence[JobData], problems: Sequence[CheckData]
    ) -> JobsData:
        """Return the jobs of a stack, queue by queue, those that run last."""
        states = Counter(job.state for job in jobs)
        costs = [job.cost_usd for job in jobs if job.runs]
        unasked = any(each.check == _UNASKED for each in problems)
        known = None not in costs and not unasked
        return cls(
            stack=deployed.stack,
            region=deployed.region,
            counts={state: states[state] for state in ACTIVE},
            cost_usd=round(sum(each or 0.0 for each in costs), 4) if known else None,
            jobs=tuple(jobs),
            problems=tuple(problems),
        )

    @property
    def exit_status(self) -> int:
        """The exit status that it stands for."""
        return EXIT_FINDINGS if self.problems else EXIT_DONE


def jobs_of(stack: Stack, on_event: Listener) -> JobsData:
    """Return the jobs of a stack.

    Raises:
        UsageError: Nothing is applied yet.
        EngineError: Terraform cannot read the state.
    """
    deployed = read_deployed(stack, on_event)
    on_event(Step("Asking AWS Batch"))
    clients = open_clients(deployed.region)
    found = find_jobs(deployed, clients)
    return with_costs(
        found, deployed, clients, Prices.of(deployed.region, stack.location.project_dir)
    )


def find_jobs(deployed: Deployed, clients: Clients) -> JobsData:
    """Ask Batch for the jobs that have not ended; nothing is changed."""
    asked = [partial(_jobs_in, deployed, queue, clients) for queue in deployed.queues]
    found: list[JobData] = []
    problems: list[CheckData] = []
    for number, result in sorted(run_all(asked, clients, _SECONDS), key=lambda each: each[0]):
        if isinstance(result, Unavailable):
            name = deployed.queues[number].name
            finding = unknown(f"the jobs in {name} are unknown: {result.line}", result.fix)
            problems.append(finding.named(_UNASKED, "Jobs"))
        else:
            found += result
    if found and (orphaned := _orphans(deployed, clients)):
        problems.append(orphaned.named("orphans", "Orphans"))
    return JobsData.of(deployed, found, problems)


def with_costs(found: JobsData, deployed: Deployed, clients: Clients, prices: Prices) -> JobsData:
    """Return jobs with what they have cost: their vCPUs for as long as they run.

    At the dearest price of a vCPU in the families that their queue may use, since what hosts they
    are on is not looked up.
    """
    rates = {queue.name: _rate(deployed, queue, prices) for queue in deployed.queues}
    wanted = [job.id for job in found.jobs if job.runs and rates[job.queue] is not None]
    now = datetime.now(UTC)
    vcpus: dict[str, float] = {}
    parts = [wanted[start : start + _DESCRIBED] for start in range(0, len(wanted), _DESCRIBED)]
    asked = [partial(_vcpus, part, clients) for part in parts]
    for _, result in run_all(asked, clients, _SECONDS):
        if not isinstance(result, Unavailable):
            vcpus |= result

    def cost(job: JobData) -> float | None:
        rate, cpus = rates[job.queue], vcpus.get(job.id)
        if rate is None or cpus is None:
            return None
        return round(rate * cpus * max(0.0, (now - job.since).total_seconds()) / 3600, 4)

    jobs = [job.model_copy(update={"cost_usd": cost(job)}) for job in found.jobs]
    return JobsData.of(deployed, jobs, found.problems)


def _rate(deployed: Deployed, queue: JobQueue, prices: Prices) -> float | None:
    """Return the most that a vCPU of a queue costs an hour; None where a family has no price."""
    found = [
        vcpu_ceiling(Hosts.model_validate(each.model_dump(mode="json")), prices)
        for environment in deployed.environments
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


def _jobs_in(deployed: Deployed, queue: JobQueue, clients: Clients) -> list[JobData]:
    pages = clients.batch().get_paginator("list_jobs")
    said = [
        cast(dict[str, Any], summary)
        for state in ACTIVE
        for page in pages.paginate(jobQueue=queue.arn, jobStatus=state)
        for summary in page["jobSummaryList"]
    ]
    waits = any(each.get("status") == "RUNNABLE" for each in said)
    blocked = why_runnable(deployed, queue, clients) if waits else ""
    return [_job(each, queue, blocked, clients.region) for each in said]


def _job(said: dict[str, Any], queue: JobQueue, blocked: str, region: str) -> JobData:
    state, job_id = said.get("status", "unknown"), said["jobId"]
    reason = one_line(said.get("statusReason", "")) or None
    if state == "RUNNABLE":
        reason = reason or blocked
    elif state == "PENDING":
        reason = reason or "it waits for the jobs that it depends on"
    # Milliseconds; a job that waits has no start yet.
    since = datetime.fromtimestamp((said.get("startedAt") or said["createdAt"]) / 1000, UTC)
    return JobData(
        id=job_id,
        name=one_line(said["jobName"]),
        queue=queue.name,
        state=state,
        since=since,
        reason=reason,
        cost_usd=None,
        runs=state == "RUNNING" or "arrayProperties" in said,
        # Ends a job in any state, where cancel-job passes over those that have started.
        cancel=aws("batch", "terminate-job", region, "--job-id", job_id, "--reason", "cancelled"),
    )


def _orphans(deployed: Deployed, clients: Clients) -> Finding | None:
    """Return that the VM, on which Nextflow runs, is not running."""
    try:
        vm = describe_instance(clients, deployed.vm.id) if deployed.vm else None
    except (BotoCoreError, ClientError) as error:
        return unknown(f"whether the VM runs is unknown: {one_line(str(error))}")
    state: str = vm["State"]["Name"] if vm else "gone"
    if state in ("pending", "running"):
        return None
    fix = START_VM if state == "stopped" else None
    return Finding(
        Verdict.WARNING,
        f"the VM is {state}: jobs that its Nextflow started have nobody who waits for them",
        fix or "cancel the jobs that nobody waits for",
    )
