"""Jobs in the queues on recorded answers of AWS: their states, reasons, ages and orphans."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any, Final

import pytest
from pydantic_core import to_jsonable_python
from rich.console import Console

from biomodal_deploy.cli.render import _THEME
from biomodal_deploy.cli.render.checks import show_jobs
from biomodal_deploy.review.cost import PriceGroup, Prices
from biomodal_deploy.vm.jobs import JobsData, find_jobs, with_costs
from tests.support.operated import (
    NAME,
    REGION,
    VM,
    deployed,
    described_environment,
    described_queue,
    documented,
    hardened,
    recorded_account,
)
from tests.support.payloads import undocumented
from tests.support.recorded_aws import Given, Recorded, Refusal

SUBMITTED: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

ENVIRONMENTS: Final = "batch.DescribeComputeEnvironments"
QUEUES: Final = "batch.DescribeJobQueues"
MACHINES: Final = "ec2.DescribeInstances"


def job(state: str, number: int = 1, **more: Any) -> Given:
    """Return a job as Batch lists it."""
    created = int(SUBMITTED.timestamp() * 1000)
    name = f"{state.lower()}-{number}"
    return {"jobId": name, "jobName": name, "status": state, "createdAt": created, **more}


def machine(state: str) -> Given:
    """Return the VM as EC2 describes it."""
    found = {"InstanceId": VM, "State": {"Name": state}, "LaunchTime": SUBMITTED}
    return {"Reservations": [{"Instances": [found]}]}


def listed(*jobs: Given) -> Recorded:
    """Return what answers ListJobs with the jobs of the state that is asked for."""

    def answer(asked: Mapping[str, Any]) -> Given:
        return {"jobSummaryList": [each for each in jobs if each["status"] == asked["jobStatus"]]}

    return answer


def found_in(
    *jobs: Given, resources: Any = None, answers: Mapping[str, Recorded] | None = None
) -> JobsData:
    """Return the jobs of a stack, with these answers in place of the healthy ones."""
    aws, clients = recorded_account()
    aws.answers = {
        "batch.ListJobs": listed(*jobs),
        ENVIRONMENTS: described_environment(),
        QUEUES: described_queue(),
        MACHINES: machine("running"),
        **(answers or {}),
    }
    return find_jobs(deployed(resources), clients)


def shown(found: JobsData, width: int = 200) -> str:
    """Return what is on a screen."""
    out = StringIO()
    show_jobs(Console(file=out, width=width, theme=_THEME), found)
    return out.getvalue()


def test_no_jobs() -> None:
    """An empty queue is no problem, whatever the VM does."""
    found = found_in(answers={MACHINES: machine("stopped")})
    assert (found.jobs, found.problems, found.exit_status) == ((), (), 0)


def test_what_runs_and_waits() -> None:
    """Since its start or its submission, in Batch's own words, with the command that ends it."""
    start = SUBMITTED + timedelta(hours=1)
    running = job("RUNNING", startedAt=int(start.timestamp() * 1000))
    found = found_in(running, job("PENDING"), job("RUNNABLE"), job("RUNNABLE", 2))
    states = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")
    assert found.counts == dict(zip(states, (0, 1, 2, 0, 1), strict=True))
    by_id = {each.id: each for each in found.jobs}
    assert (by_id["running-1"].since, by_id["running-1"].reason) == (start, None)
    assert by_id["runnable-1"].since == SUBMITTED
    assert "depends on" in (by_id["pending-1"].reason or "")
    for part in ("terminate-job", "--job-id runnable-2", REGION):
        assert part in by_id["runnable-2"].cancel
    assert found.exit_status == 0
    assert undocumented("jobs", to_jsonable_python(found)) == []


DENIED: Final = "CLIENT_ERROR - Not authorized"


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({}, "vCPU quota"),
        ({ENVIRONMENTS: described_environment("DISABLED")}, "DISABLED"),
        ({ENVIRONMENTS: described_environment(status="INVALID", reason=DENIED)}, DENIED),
        ({ENVIRONMENTS: described_environment(status="UPDATING")}, "UPDATING"),
        ({ENVIRONMENTS: {"computeEnvironments": []}}, "is gone"),
        ({QUEUES: described_queue("DISABLED")}, "update-job-queue"),
        ({QUEUES: Refusal("AccessDeniedException")}, "vCPU quota"),
    ],
)
def test_why_it_is_runnable(answers: dict[str, Recorded], says: str) -> None:
    """The queue or the environment that keeps a job waiting is named; else what brings hosts."""
    (waiting,) = found_in(job("RUNNABLE"), answers=answers).jobs
    assert says in (waiting.reason or "")


def test_batchs_own_reason_comes_first() -> None:
    """What Batch says of a job that blocks its queue is not replaced by a guess."""
    reason = "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - no host is large enough"
    (waiting,) = found_in(job("RUNNABLE", statusReason=reason)).jobs
    assert waiting.reason == reason


@pytest.mark.parametrize(
    ("vm", "says", "fix"),
    [
        (machine("stopped"), "stopped", "biomodal-aws vm start"),
        (machine("terminated"), "terminated", "cancel"),
        ({"Reservations": []}, "gone", "cancel"),
    ],
)
def test_orphans(vm: Given, says: str, fix: str) -> None:
    """Jobs without a VM on which Nextflow could wait for them need attention."""
    found = found_in(job("RUNNING"), answers={MACHINES: vm})
    (problem,) = found.problems
    assert (problem.check, found.exit_status) == ("orphans", 2)
    assert says in problem.line
    assert fix in (problem.fix or "")


def test_a_queue_that_does_not_answer() -> None:
    """Its jobs are unknown and never none."""
    refused = Refusal("AccessDeniedException", "not authorized")
    found = found_in(answers={"batch.ListJobs": refused})
    (problem,) = found.problems
    assert (problem.check, problem.verdict.value, found.exit_status) == ("jobs", "unknown", 2)
    assert f"{NAME}-job-queue" in problem.line


def test_each_queue_is_asked() -> None:
    """The hardened stack has two, and a job is listed under its own."""
    found = found_in(job("RUNNING"), resources=hardened())
    names = [f"{NAME}-job-queue", f"{NAME}-job-queue-on-demand"]
    assert [each.queue for each in found.jobs] == names


_VCPUS: Final = {"vcpu/m6i": 0.05, "vcpu/c6i": 0.04}
PRICES: Final = Prices(
    REGION,
    (PriceGroup(as_of=date(2026, 11, 1), source="here", unit="vCPU-hour", prices=_VCPUS),),
)


def described(asked: Mapping[str, Any]) -> Given:
    """Return jobs as Batch describes them: vCPUs said in either way, and several nodes."""
    more: dict[str, Given] = {
        "four": {"container": {"resourceRequirements": [{"type": "VCPU", "value": "4"}]}},
        "two": {"container": {"vcpus": 2}},
        "nodes": {"nodeProperties": {"numNodes": 2, "mainNode": 0, "nodeRangeProperties": []}},
    }
    common = {"jobName": "x", "jobQueue": "q", "status": "RUNNING", "startedAt": 0}
    found = [
        {**common, "jobDefinition": "d", "jobId": each, **more[each]} for each in asked["jobs"]
    ]
    return {"jobs": found}


def priced(*families: str, bid: int | None = None, describe: Recorded = described) -> JobsData:
    """Return jobs that have run for two hours, with what they have cost."""
    start = int((datetime.now(UTC) - timedelta(hours=2)).timestamp() * 1000)
    running = [{**job("RUNNING", startedAt=start), "jobId": each} for each in ("four", "two")]
    aws, clients = recorded_account()
    resources = documented()
    (hosts,) = resources["aws_batch_compute_environment"][0]["compute_resources"]
    hosts |= {"instance_type": list(families), "bid_percentage": bid}
    found = found_in(*running, job("RUNNABLE"), resources=resources)
    aws.answers["batch.DescribeJobs"] = describe
    return with_costs(found, deployed(resources), clients, PRICES)


def test_what_jobs_have_cost() -> None:
    """VCPUs by hours by the dearest family's price; what waits costs nothing, and is in no sum."""
    found = priced("m6i", "c6i")
    costs = {each.id: each.cost_usd for each in found.jobs}
    assert costs["four"] == pytest.approx(4 * 2 * 0.05, rel=0.01)
    assert costs["two"] == pytest.approx(2 * 2 * 0.05, rel=0.01)
    assert costs["runnable-1"] is None
    assert found.cost_usd == pytest.approx(0.6, rel=0.01)
    assert undocumented("jobs", to_jsonable_python(found)) == []
    assert priced("m6i", bid=60).cost_usd == pytest.approx(0.36, rel=0.01)


@pytest.mark.parametrize(
    ("families", "describe"),
    [
        (("m6i", "odd"), described),
        ((), described),
        (("m6i",), Refusal("AccessDeniedException")),
        (("m6i",), lambda _: described({"jobs": ["nodes"]})),
    ],
)
def test_a_cost_that_is_not_known(families: tuple[str, ...], describe: Recorded) -> None:
    """A family without a price, or vCPUs that nobody says: unknown, and never 0."""
    found = priced(*families, describe=describe)
    assert {each.cost_usd for each in found.jobs} == {None}
    assert found.cost_usd is None
    text = shown(found)
    assert "cost:   unknown" in text
    assert "What runs has cost: unknown for 2 jobs." in text


def test_an_array_is_not_for_nothing() -> None:
    """The queue lists an array as one job that waits for its parts, some of which may run."""
    found = found_in(job("PENDING", arrayProperties={"size": 9, "index": 0}))
    assert (found.jobs[0].runs, found.cost_usd) == (True, None)


def test_on_screen() -> None:
    """A job's name, reason and command stand there whole, and no control character of a name."""
    hostile = job("RUNNABLE") | {"jobName": "evil\x1b[2Jname"}
    found = found_in(hostile, job("RUNNING"))
    text = shown(found, 40)
    assert "\x1b[2J" not in text
    assert found.jobs[0].cancel in text
    assert "1 RUNNABLE, 1 RUNNING" in text
