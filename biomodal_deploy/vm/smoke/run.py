"""`smoke`: says what it costs, runs one tiny job, reads what it found, and removes it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel

from biomodal_deploy.aws.checks import (
    CheckData,
    Finding,
    Seconds,
    count_verdicts,
    failed,
    passed,
    unknown,
    warned,
)
from biomodal_deploy.aws.clients import Clients, open_clients
from biomodal_deploy.aws.errors import classify_error, code_of, one_line
from biomodal_deploy.aws.resources import JobQueue
from biomodal_deploy.config.contract.aws import SMOKE_IMAGE
from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS, Interrupted
from biomodal_deploy.review.cost import Prices
from biomodal_deploy.review.cost.estimate import dearest
from biomodal_deploy.review.cost.resources import Hosts
from biomodal_deploy.vm.deployed import Deployed, read_deployed
from biomodal_deploy.vm.nextflow_facts import nextflow_facts
from biomodal_deploy.vm.runnable_jobs import HOSTS, blocked_by
from biomodal_deploy.vm.smoke import ENDED, Said, SmokeJob
from biomodal_deploy.vm.smoke.judging import Seen, judge, named
from biomodal_deploy.workflow.location import Listener, Notice, Step
from biomodal_deploy.workflow.stack import Stack

# The smallest host of the families that Batch takes has two vCPUs, and Batch lets an idle one go
# only some minutes later.
_VCPUS: Final = 2
_IDLE_S: Final = 600
# CloudWatch shows lines some seconds after they were written.
_LOG_S: Final = 30.0
_PAUSE_S: Final = 5.0
# A lost answer passes; several in a row are no accident.
_PATIENCE: Final = 3


@dataclass(frozen=True, kw_only=True)
class SmokeRequest:
    """What a person asks `smoke` for.

    Attributes:
        image: The job's container image; None for the default one.
        timeout_s: Seconds to wait for the job to end.
    """

    image: str | None = None
    timeout_s: float = 900


class SmokeData(BaseModel, frozen=True):
    """What the smoke job found.

    Attributes:
        stack: The stack.
        region: Where it is.
        queue: The queue that the job was submitted to.
        image: The job's image.
        cost_usd: About what it costs, at most; null where a price is not known.
        works: Whether every layer works.
        seconds: How long it took.
        counts: How many of each verdict.
        checks: Each layer, in the order in which a task needs them.
        left: Commands that remove what could not be removed.
    """

    stack: str
    region: str
    queue: str
    image: str
    cost_usd: float | None
    works: bool
    seconds: Seconds
    counts: dict[str, int]
    checks: tuple[CheckData, ...]
    left: tuple[str, ...]

    @property
    def exit_status(self) -> int:
        """The exit status that it stands for."""
        return EXIT_DONE if self.works else EXIT_FINDINGS


def smoke_of(stack: Stack, request: SmokeRequest, on_event: Listener) -> SmokeData:
    """Run the smoke job of a stack.

    Raises:
        UsageError: Nothing is applied yet, or there is no queue or bucket.
        EngineError: Terraform cannot read the state.
        Interrupted: It was asked to stop; what was made is removed, or named.
    """
    deployed = read_deployed(stack, on_event)
    facts = nextflow_facts(deployed, None)
    queue = next(each for each in deployed.queues if each.name == facts.queue)
    cost = _cost(deployed, queue, request, Prices.of(deployed.region, stack.location.project_dir))
    on_event(Notice(_cost_line(cost, queue, request)))
    clients = open_clients(deployed.region)
    job = SmokeJob(facts, request.image or SMOKE_IMAGE, clients)
    started = time.monotonic()
    with _removed(job, on_event) as left:
        findings = _Trial(job, deployed, queue, request, on_event).findings()
    checks = (*findings, _removal(left))
    return SmokeData(
        stack=deployed.stack,
        region=deployed.region,
        queue=queue.name,
        image=job.image,
        cost_usd=cost,
        works=all(each.passed for each in checks),
        seconds=time.monotonic() - started,
        counts=count_verdicts(checks),
        checks=checks,
        left=tuple(left),
    )


@contextmanager
def _removed(job: SmokeJob, on_event: Listener) -> Iterator[list[str]]:
    """Remove the job however the block ends; what is left is in the list, once it has ended."""
    left: list[str] = []
    try:
        yield left
    except KeyboardInterrupt:
        on_event(Step("Removing the job"))
        left += job.end(_pause)
        what = f"left; remove it with: {'; '.join(left)}" if left else "its job is removed"
        raise Interrupted(f"Interrupted: {what}") from None
    except BaseException:
        job.end(_pause)
        raise
    on_event(Step("Removing the job"))
    try:
        left += job.end(_pause)
    except KeyboardInterrupt:
        left += job.end(_pause)
        raise


def _removal(left: list[str]) -> CheckData:
    finding = (
        warned("not all that was made could be removed", "; ".join(left))
        if left
        else passed("job, definition and objects")
    )
    return finding.named("removed", "Removed again")


def _pause() -> None:
    time.sleep(1)


def _cost(
    deployed: Deployed, queue: JobQueue, request: SmokeRequest, prices: Prices
) -> float | None:
    hosts = [each for each in deployed.environments if each.arn in queue.environment_arns]
    types = [
        kind
        for each in hosts
        for resources in each.compute_resources
        for kind in resources.instance_type or ()
    ]
    price = dearest(Hosts(instance_type=types), prices)
    hours = (request.timeout_s + _IDLE_S) / 3600
    return None if price is None else round(_VCPUS * price.amount * hours, 4)


def _cost_line(cost: float | None, queue: JobQueue, request: SmokeRequest) -> str:
    minutes = round((request.timeout_s + _IDLE_S) / 60)
    host = f"one host with {_VCPUS} vCPUs for up to {minutes} minutes"
    if cost is None:
        return (
            f"A job in {queue.name} starts {host}; what that costs is unknown "
            "(biomodal-aws cost --refresh asks AWS for prices)"
        )
    return f"A job in {queue.name} starts {host}: about {max(cost, 0.01):.2f} USD, On-Demand"


@dataclass
class _Trial:
    """One job on its way."""

    job: SmokeJob
    deployed: Deployed
    queue: JobQueue
    request: SmokeRequest
    on_event: Listener
    described: dict[str, Any] = field(default_factory=dict)
    started: bool = False

    def findings(self) -> tuple[CheckData, ...]:
        self.on_event(Step("Submitting a job"))
        try:
            self.job.submit()
        except (BotoCoreError, ClientError) as error:
            return named({"accepted": self._refused(error)})
        waited = self._wait()
        lines, log = ((), None) if waited and not self.started else self._read()
        return judge(
            Seen(
                job=self.job,
                described=self.described,
                started=self.started,
                said=lines,
                log=log,
                waited=waited,
            )
        )

    def _refused(self, error: BotoCoreError | ClientError) -> Finding:
        failure = classify_error(error, self._clients)
        blocked = blocked_by(self.deployed, self.queue, self._clients)
        return failed(failure.line, (blocked.fix if blocked else None) or failure.fix)

    @property
    def _clients(self) -> Clients:
        return self.job.clients

    def _wait(self) -> Finding | None:
        """Wait until the job has ended; return what keeps it from that where it does not."""
        deadline = time.monotonic() + self.request.timeout_s
        pause, unanswered, shown = 0.5, 0, ""
        while True:
            try:
                self.described, unanswered = self.job.describe(), 0
            except (BotoCoreError, ClientError) as error:
                unanswered += 1
                if unanswered >= _PATIENCE:
                    failure = classify_error(error, self._clients)
                    return unknown(failure.line, failure.fix)
            state = self.described.get("status", "")
            self.started |= _was_on_a_host(self.described)
            if state in ENDED:
                return None
            blocked = self._blocked(state)
            if time.monotonic() >= deadline:
                return self._late(state, blocked)
            because = f": {blocked.line}" if blocked else ""
            if (now := f"The job is {state or 'submitted'}{because}") != shown:
                self.on_event(Step(shown := now))
            time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
            pause = min(_PAUSE_S, pause * 1.5)

    def _blocked(self, state: str) -> Finding | None:
        if state != "RUNNABLE":
            return None
        if reason := one_line(str(self.described.get("statusReason") or "")):
            return failed(reason, "biomodal-aws doctor checks quotas, ways out and instance types")
        return blocked_by(self.deployed, self.queue, self._clients)

    def _late(self, state: str, blocked: Finding | None) -> Finding:
        after = f"{state or 'not seen'} after {self.request.timeout_s:g} s"
        if blocked:
            return failed(f"{after}: {blocked.line}", blocked.fix or "biomodal-aws status")
        more = "give it longer with --timeout; biomodal-aws doctor"
        return failed(f"{after}: {HOSTS if state == 'RUNNABLE' else 'no reason given'}", more)

    def _read(self) -> tuple[list[Said], Finding | None]:
        """Read the job's log until its last line is there, or no more is to be expected."""
        stream = (self.described.get("container") or {}).get("logStreamName")
        group, deadline = self.job.log_group, time.monotonic() + _LOG_S
        if not stream:
            return [], unknown(f"Batch names no log of the job in {group}")
        self.on_event(Step("Reading the job's log"))
        lines: list[Said] = []
        while True:
            failure = None
            try:
                lines = self.job.said(stream)
            except (BotoCoreError, ClientError) as error:
                failure = classify_error(error, self._clients)
                late = isinstance(error, ClientError) and code_of(error).startswith("ResourceNot")
                if not late:
                    return [], failed(failure.line, failure.fix)
            if any(each.layer == "end" for each in lines):
                return lines, passed(f"{len(lines)} lines in {group}")
            if time.monotonic() >= deadline:
                break
            time.sleep(1)
        if lines:
            return lines, warned(f"the log in {group} has no end", "run it again")
        line = failure.line if failure else f"no line of the job is in {group} after {_LOG_S:g} s"
        return [], failed(line, f"let the hosts write to {group}, and yourself read it")


def _was_on_a_host(described: dict[str, Any]) -> bool:
    container = described.get("container") or {}
    return (
        described.get("status") in ("STARTING", "RUNNING", "SUCCEEDED")
        or "startedAt" in described
        or "containerInstanceArn" in container
    )
