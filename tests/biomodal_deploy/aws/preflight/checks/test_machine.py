"""The image, the machine's type, and the launch that EC2 rehearses."""

from __future__ import annotations

import pytest

from biomodal_deploy.aws.checks import Verdict
from biomodal_deploy.aws.preflight.target import Target
from tests.support.preflight_cases import Wrong
from tests.support.recorded_aws import REGION, RecordedAws, Refusal

FAIL, WARNING, UNKNOWN = Verdict.FAIL, Verdict.WARNING, Verdict.UNKNOWN


@pytest.mark.parametrize(
    "wrong",
    [
        Wrong(
            "image",
            "ec2.DescribeImages",
            {"Images": []},
            FAIL,
            "ubuntu-jammy-22.04-amd64-server-* of owner 099720109477",
            "another region",
        ),
        Wrong(
            "rehearsal",
            "ec2.DescribeImages",
            {"Images": []},
            UNKNOWN,
            "there is no image to launch",
            "",
        ),
        Wrong(
            "instance-type",
            "ec2.DescribeInstanceTypes",
            Refusal("InvalidInstanceType"),
            FAIL,
            "EC2 has no instance type t3.large",
            "correct instance_type",
        ),
        Wrong(
            "instance-type",
            "ec2.DescribeInstanceTypeOfferings",
            {"InstanceTypeOfferings": [{"Location": f"{REGION}b"}, {"Location": f"{REGION}c"}]},
            FAIL,
            f"{REGION}a does not offer t3.large; {REGION}b, {REGION}c offer it",
            "subnet_id",
        ),
        Wrong(
            "instance-type",
            "ec2.DescribeInstanceTypes",
            {
                "InstanceTypes": [
                    {
                        "VCpuInfo": {"DefaultVCpus": 2},
                        "ProcessorInfo": {"SupportedArchitectures": ["arm64"]},
                    }
                ]
            },
            FAIL,
            "t3.large is no x86-64 machine",
            "t3.large",
        ),
        Wrong(
            "instance-type",
            "ec2.DescribeInstanceTypes",
            {
                "InstanceTypes": [
                    {
                        "VCpuInfo": {"DefaultVCpus": 1},
                        "ProcessorInfo": {"SupportedArchitectures": ["i386", "x86_64"]},
                        "SupportedVirtualizationTypes": ["paravirtual"],
                    }
                ]
            },
            FAIL,
            "t3.large boots only paravirtual images",
            "t3.large",
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
            Refusal("Unsupported", "The requested\nconfiguration is not supported."),
            FAIL,
            "EC2 would not launch the VM (Unsupported): The requested configuration is not",
            "correct instance_type or subnet_id",
        ),
        Wrong("rehearsal", "ec2.RunInstances", {"Instances": []}, WARNING, "no verdict", "again"),
    ],
    ids=str,
)
def test_one_thing_wrong(aws: RecordedAws, target: Target, wrong: Wrong) -> None:
    """What EC2 would not launch is found, named, and comes with what mends it."""
    wrong.assert_found(aws, target)
