"""Why jobs wait, on recorded answers: each thing that keeps hosts away is named with its fix."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.vm.runnable_jobs import HOSTS, blocked_by, why_runnable
from tests.support.operated import REGION, deployed, described_environment, described_queue
from tests.support.recorded_aws import (
    SUBNET,
    Given,
    Recorded,
    RecordedAws,
    Refusal,
    default_route,
    machine,
    quota,
    routes,
    subnet,
)
from tests.support.recorded_aws import machines as described_machines

SUBNETS = "ec2.DescribeSubnets"
ROUTES = "ec2.DescribeRouteTables"
ENVIRONMENTS = "batch.DescribeComputeEnvironments"


def described(state: str = "ENABLED") -> Given:
    """Return the compute environment as Batch describes it."""
    found = described_environment(state)
    resources = {"type": "SPOT", "maxvCpus": 256, "subnets": [SUBNET]}
    found["computeEnvironments"][0]["computeResources"] = resources
    return found


def machines(*vcpus: int) -> Given:
    """Return Spot machines that run, as EC2 describes them."""
    single = [{"CpuOptions": {"CoreCount": each, "ThreadsPerCore": 1}} for each in vcpus]
    return described_machines(*(machine("m5.large", 1, spot=True) | each for each in single))


def account(answers: Mapping[str, Recorded] | None = None) -> Clients:
    """Return an account in which hosts come, but for these answers."""
    found: dict[str, Recorded] = {
        ENVIRONMENTS: described(),
        "batch.DescribeJobQueues": described_queue(),
        "service-quotas.GetServiceQuota": quota({"L-34B43A08": 64}),
        "ec2.DescribeInstances": machines(8),
        SUBNETS: subnet(MapPublicIpOnLaunch=True),
        ROUTES: routes(default_route(GatewayId="igw-1")),
        "ec2.DescribeVpcEndpoints": {"VpcEndpoints": []},
        **(answers or {}),
    }
    return Clients(RecordedAws(found).session(REGION), REGION)


def blocked(answers: Mapping[str, Recorded]) -> tuple[str, str]:
    """Return the line and the fix of what keeps hosts away."""
    stack = deployed()
    finding = blocked_by(stack, stack.queues[0], account(answers))
    assert finding is not None
    return finding.line, finding.fix or ""


def test_nothing_is_in_the_way() -> None:
    """A host is only on its way, which is no finding."""
    stack = deployed()
    assert blocked_by(stack, stack.queues[0], account()) is None
    assert why_runnable(stack, stack.queues[0], account()) == HOSTS


HIDDEN = subnet(MapPublicIpOnLaunch=False)
USED = "63 of 64 Spot vCPUs are in use: no host fits"


@pytest.mark.parametrize(
    ("call", "answer", "says", "fix"),
    [
        (ENVIRONMENTS, described("DISABLED"), "DISABLED", "--state ENABLED"),
        ("ec2.DescribeInstances", machines(60, 3), USED, "request-service-quota-increase"),
        (ROUTES, routes(), f"{SUBNET}: Batch hosts have no way", "NAT"),
        (
            SUBNETS,
            subnet(MapPublicIpOnLaunch=False),
            "no public address",
            "--map-public-ip-on-launch",
        ),
    ],
)
def test_what_keeps_hosts_away(call: str, answer: Recorded, says: str, fix: str) -> None:
    """State, quota and the way out of the hosts' subnets, each with what fixes it."""
    found = blocked({call: answer})
    assert says in found[0]
    assert fix in found[1]


def test_what_aws_does_not_say_is_no_reason() -> None:
    """A check that is refused is passed over: the others still find theirs."""
    refused = Refusal("AccessDeniedException")
    line, _ = blocked({"service-quotas.GetServiceQuota": refused, ROUTES: routes()})
    assert "no way" in line
