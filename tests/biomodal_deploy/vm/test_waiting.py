"""Why jobs wait, on recorded answers: each thing that keeps hosts away is named with its fix."""

from __future__ import annotations

from typing import Any

import pytest

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.vm.waiting import HOSTS, blocked_by, why_runnable
from tests.support.operated import NAME, REGION, arn, built
from tests.support.recorded_aws import (
    SUBNET,
    Given,
    Recorded,
    RecordedAws,
    Refusal,
    default_route,
    quota,
    routes,
    subnet,
)


def described(state: str = "ENABLED", status: str = "VALID") -> Given:
    """Return the compute environment as Batch describes it."""
    found = {
        "computeEnvironmentName": NAME,
        "computeEnvironmentArn": arn("batch", f"compute-environment/{NAME}"),
        "state": state,
        "status": status,
        "computeResources": {"type": "SPOT", "maxvCpus": 256, "subnets": [SUBNET]},
    }
    return {"computeEnvironments": [found]}


def machines(*vcpus: int) -> Given:
    """Return Spot machines that run, as EC2 describes them."""
    found = [
        {
            "InstanceType": "m5.large",
            "CpuOptions": {"CoreCount": each, "ThreadsPerCore": 1},
            "InstanceLifecycle": "spot",
        }
        for each in vcpus
    ]
    return {"Reservations": [{"Instances": found}]}


def account(**answers: Recorded) -> Clients:
    """Return an account in which hosts come, but for these answers."""
    found: dict[str, Any] = {
        "batch.DescribeComputeEnvironments": described(),
        "batch.DescribeJobQueues": {
            "jobQueues": [
                {
                    "jobQueueName": f"{NAME}-job-queue",
                    "jobQueueArn": arn("batch", f"job-queue/{NAME}-job-queue"),
                    "state": "ENABLED",
                    "status": "VALID",
                    "priority": 1,
                    "computeEnvironmentOrder": [],
                }
            ]
        },
        "service-quotas.GetServiceQuota": quota({"L-34B43A08": 64}),
        "ec2.DescribeInstances": machines(8),
        "ec2.DescribeSubnets": subnet(MapPublicIpOnLaunch=True),
        "ec2.DescribeRouteTables": routes(default_route(GatewayId="igw-1")),
        "ec2.DescribeVpcEndpoints": {"VpcEndpoints": []},
        **{name.replace("__", "."): answer for name, answer in answers.items()},
    }
    return Clients(RecordedAws(found).session(REGION), REGION)


def test_nothing_is_in_the_way() -> None:
    """A host is only on its way, which is no finding."""
    stack = built()
    assert blocked_by(stack, stack.queues[0], account()) is None
    assert why_runnable(stack, stack.queues[0], account()) == HOSTS


@pytest.mark.parametrize(
    ("answers", "says", "fix"),
    [
        (
            {"batch__DescribeComputeEnvironments": described("DISABLED")},
            "DISABLED",
            "--state ENABLED",
        ),
        (
            {"ec2__DescribeInstances": machines(60, 3)},
            "63 of 64 Spot vCPUs are in use: no host fits",
            "request-service-quota-increase",
        ),
        ({"ec2__DescribeRouteTables": routes()}, f"{SUBNET}: Batch hosts have no way", "NAT"),
        (
            {"ec2__DescribeSubnets": subnet(MapPublicIpOnLaunch=False)},
            "no public address",
            "--map-public-ip-on-launch",
        ),
    ],
)
def test_what_keeps_hosts_away(answers: dict[str, Recorded], says: str, fix: str) -> None:
    """State, quota and the way out of the hosts' subnets, each with what mends it."""
    stack = built()
    finding = blocked_by(stack, stack.queues[0], account(**answers))
    assert finding is not None
    assert says in finding.line
    assert fix in (finding.fix or "")


def test_what_aws_does_not_say_is_no_reason() -> None:
    """A check that is refused is passed over: the others still find theirs."""
    stack = built()
    refused = account(
        **{"service-quotas__GetServiceQuota": Refusal("AccessDeniedException")},
        ec2__DescribeRouteTables=routes(),
    )
    finding = blocked_by(stack, stack.queues[0], refused)
    assert finding is not None
    assert "no way" in finding.line
