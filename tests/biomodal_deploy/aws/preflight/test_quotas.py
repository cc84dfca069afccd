"""What the account's quotas leave."""

from __future__ import annotations

import pytest

from biomodal_deploy.aws.checks import Verdict
from biomodal_deploy.aws.preflight.target import Target
from tests.support.preflight_cases import Well, Wrong, answer, environments, job_queues
from tests.support.recorded_aws import (
    REGION,
    Recorded,
    RecordedAws,
    Refusal,
    machine,
    machines,
    quota,
)

FAIL, WARNING, UNKNOWN = Verdict.FAIL, Verdict.WARNING, Verdict.UNKNOWN
ADDRESSES, MACHINES = "ec2.DescribeAddresses", "ec2.DescribeInstances"
MORE = (
    f"aws service-quotas request-service-quota-increase --region {REGION} "
    "--service-code ec2 --quota-code L-0263D0A3 --desired-value 6"
)
FIVE = {"Addresses": [{"PublicIp": f"192.0.2.{n}"} for n in range(5)]}
FULL = machines(machine("m5.4xlarge", 8), machine("c5.4xlarge", 8))
NO_SPOT = quota({"L-34B43A08": 0, "L-1216C47A": 32, "L-0263D0A3": 5})
NO_ADDRESS = "5 of 5 elastic IPs are in use: none is left"
FIFTY = [str(number) for number in range(50)]


@pytest.mark.parametrize(
    "wrong",
    [
        Wrong(
            "elastic-ips",
            ADDRESSES,
            FIVE,
            FAIL,
            "5 of 5 elastic IPs are in use: none is left",
            MORE,
        ),
        Wrong(
            "elastic-ips",
            "ec2.DescribeInternetGateways",
            {"InternetGateways": []},
            FAIL,
            "has no internet gateway: EC2 attaches no elastic IP there",
            "elastic_ip = false",
        ),
        Wrong(
            "on-demand-vcpus",
            MACHINES,
            FULL,
            FAIL,
            "32 of 32 On-Demand vCPUs are in use, the VM takes 2",
            "--quota-code L-1216C47A --desired-value 34",
        ),
        Wrong(
            "spot-vcpus",
            "service-quotas.GetServiceQuota",
            NO_SPOT,
            FAIL,
            "0 of 0 Spot vCPUs are in use, Batch takes up to 256: no task would ever start",
            "--quota-code L-34B43A08 --desired-value 256",
        ),
        Wrong(
            "spot-vcpus",
            MACHINES,
            machines(machine("m5.48xlarge", 150, spot=True)),
            WARNING,
            "300 of 512 Spot vCPUs are in use",
            "--desired-value 556",
        ),
        Wrong(
            "batch-environments",
            "batch.DescribeComputeEnvironments",
            environments(*FIFTY),
            FAIL,
            "50 of 50 Batch compute environments are in use: none is left",
            "aws batch describe-compute-environments",
        ),
        Wrong(
            "batch-queues",
            "batch.DescribeJobQueues",
            job_queues(*FIFTY),
            FAIL,
            "50 of 50 Batch job queues are in use",
            "aws batch describe-job-queues",
        ),
    ],
    ids=str,
)
def test_one_thing_wrong(aws: RecordedAws, target: Target, wrong: Wrong) -> None:
    """What is used up is found, named, and comes with the request that fixes it."""
    wrong.assert_found(aws, target)


# Addresses that a customer brought along and stopped Spot hosts count against nothing.
BROUGHT = {"Addresses": [{"PublicIpv4Pool": "ipv4pool-ec2-1"} for _ in range(9)]}
# Another family, and Spot, have quotas of their own.
NO_SPOT_OF_BATCH = machines(machine("g5.16xlarge", 200, spot=True), machine("m5.16xlarge", 200))
JUST_FITS = machines(machine("m5.4xlarge", 15), machine("m5.16xlarge", 128, spot=True))
OTHERS = machines(machine("g5.16xlarge", 32), machine("m5.16xlarge", 32, spot=True))


@pytest.mark.parametrize(
    "well",
    [
        Well("elastic-ips", {ADDRESSES: BROUGHT}, "0 of 5"),
        Well("on-demand-vcpus", {MACHINES: OTHERS}, "0 of 32"),
        Well("on-demand-vcpus", {MACHINES: JUST_FITS}, "30 of 32"),
        Well("spot-vcpus", {MACHINES: NO_SPOT_OF_BATCH}, "0 of 512"),
        Well("spot-vcpus", {MACHINES: JUST_FITS}, "256 of 512"),
    ],
    ids=str,
)
def test_what_is_well(aws: RecordedAws, target: Target, well: Well) -> None:
    """What looks odd and works passes."""
    well.assert_passed(aws, target)


@pytest.mark.parametrize(
    ("check", "owned", "operation", "recorded"),
    [
        ("elastic-ips", "aws_eip:eipalloc-1", ADDRESSES, {"Addresses": [{}] * 5}),
        ("on-demand-vcpus", "aws_instance:i-1", MACHINES, machines(machine("m5.16xlarge", 32))),
    ],
)
def test_what_the_stack_has_is_not_counted(
    aws: RecordedAws, target: Target, check: str, owned: str, operation: str, recorded: Recorded
) -> None:
    """After an apply, its own share of a quota is no failure; without the state it is."""
    aws.answers[operation] = recorded
    assert answer(aws, target, check, owned).verdict is Verdict.PASS
    assert answer(aws, target, check).verdict is FAIL


def test_a_quota_that_nobody_changed(aws: RecordedAws, target: Target) -> None:
    """Service Quotas then has no value of the account's, and AWS's default counts."""
    aws.answers["service-quotas.GetServiceQuota"] = quota({})
    aws.answers["service-quotas.GetAWSDefaultServiceQuota"] = quota(
        {"L-1216C47A": 1, "L-34B43A08": 5, "L-0263D0A3": 5}
    )
    assert "0 of 1 On-Demand vCPUs" in answer(aws, target, "on-demand-vcpus").line


def test_elastic_ips_without_service_quotas(aws: RecordedAws, target: Target) -> None:
    """EC2 knows its own limit where Service Quotas may not be asked."""
    aws.answers["service-quotas.GetServiceQuota"] = Refusal("AccessDeniedException", "", 400)
    aws.answers["ec2.DescribeAccountAttributes"] = {
        "AccountAttributes": [
            {"AttributeName": "vpc-max-elastic-ips", "AttributeValues": [{"AttributeValue": "0"}]}
        ]
    }
    assert answer(aws, target, "elastic-ips").verdict is FAIL
    assert answer(aws, target, "spot-vcpus").verdict is UNKNOWN
