"""The image, the machine's type, and the launch that EC2 rehearses."""

from __future__ import annotations

from typing import Any

import pytest

from biomodal_deploy.aws.checks import Verdict
from biomodal_deploy.aws.preflight.target import Target
from tests.support.preflight_cases import Wrong, cases
from tests.support.recorded_aws import REGION, Given, RecordedAws, Refusal

FAIL, WARNING, UNKNOWN = Verdict.FAIL, Verdict.WARNING, Verdict.UNKNOWN
NO_IMAGE = "ubuntu-jammy-22.04-amd64-server-* of owner 099720109477"
ELSEWHERE = {"InstanceTypeOfferings": [{"Location": f"{REGION}b"}, {"Location": f"{REGION}c"}]}
UNHEARD = Refusal("InvalidInstanceType")
UNFIT = Refusal("Unsupported", "The requested\nconfiguration is not supported.")


def kind(*architectures: str, vcpus: int = 2, **more: Any) -> Given:
    """Return an instance type as EC2 describes it."""
    processor = {"SupportedArchitectures": [*architectures]}
    found = {"VCpuInfo": {"DefaultVCpus": vcpus}, "ProcessorInfo": processor, **more}
    return {"InstanceTypes": [found]}


OLD = kind("i386", "x86_64", vcpus=1, SupportedVirtualizationTypes=["paravirtual"])


@pytest.mark.parametrize(
    "wrong",
    [
        *cases("image", "ec2.DescribeImages", ({"Images": []}, FAIL, NO_IMAGE, "another region")),
        *cases(
            "rehearsal",
            "ec2.DescribeImages",
            ({"Images": []}, UNKNOWN, "there is no image to launch", ""),
        ),
        *cases(
            "instance-type",
            "ec2.DescribeInstanceTypes",
            (UNHEARD, FAIL, "EC2 has no instance type t3.large", "correct instance_type"),
            (kind("arm64"), FAIL, "t3.large is no x86-64 machine", "t3.large"),
            (OLD, FAIL, "t3.large boots only paravirtual images", "t3.large"),
        ),
        Wrong(
            "instance-type",
            "ec2.DescribeInstanceTypeOfferings",
            ELSEWHERE,
            FAIL,
            f"{REGION}a does not offer t3.large; {REGION}b, {REGION}c offer it",
            "subnet_id",
        ),
        Wrong(
            "rehearsal",
            "ec2.RunInstances",
            Refusal("UnauthorizedOperation", "You are not authorized", 403),
            FAIL,
            "EC2 would not launch the VM: the caller may not ec2:RunInstances",
            "biomodal-aws policy deployer",
        ),
        Wrong(
            "rehearsal",
            "ec2.RunInstances",
            UNFIT,
            FAIL,
            "EC2 would not launch the VM (Unsupported): The requested configuration is not",
            "correct instance_type or subnet_id",
        ),
        Wrong("rehearsal", "ec2.RunInstances", {"Instances": []}, WARNING, "no verdict", "again"),
    ],
    ids=str,
)
def test_one_thing_wrong(aws: RecordedAws, target: Target, wrong: Wrong) -> None:
    """What EC2 would not launch is found, named, and comes with what fixes it."""
    wrong.assert_found(aws, target)
