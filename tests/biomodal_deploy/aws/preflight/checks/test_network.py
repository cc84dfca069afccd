"""The VPC and the subnet: there, and with room."""

from __future__ import annotations

import pytest

from biomodal_deploy.aws.checks import Verdict
from biomodal_deploy.aws.preflight import Target
from tests.support.preflight_cases import Wrong
from tests.support.recorded_aws import ACCOUNT, REGION, SUBNET, VPC, RecordedAws, no_such, subnet

FAIL, WARNING = Verdict.FAIL, Verdict.WARNING


@pytest.mark.parametrize(
    "wrong",
    [
        Wrong(
            "vpc",
            "ec2.DescribeVpcs",
            no_such("InvalidVpcID.NotFound"),
            FAIL,
            f"there is no {VPC} in {REGION}",
            f"aws ec2 describe-vpcs --region {REGION}",
        ),
        Wrong(
            "subnet",
            "ec2.DescribeSubnets",
            no_such("InvalidSubnetID.NotFound"),
            FAIL,
            f"there is no {SUBNET}",
            f"--filters Name=vpc-id,Values={VPC}",
        ),
        Wrong(
            "subnet",
            "ec2.DescribeSubnets",
            subnet(VpcId="vpc-other"),
            FAIL,
            f"{SUBNET} belongs to vpc-other, not to {VPC}",
            'set vpc_id = "vpc-other"',
        ),
        Wrong(
            "subnet",
            "ec2.DescribeSubnets",
            subnet(AvailableIpAddressCount=0),
            FAIL,
            "has 0 free addresses",
            "subnet_id",
        ),
        Wrong(
            "subnet",
            "ec2.DescribeSubnets",
            subnet(AvailableIpAddressCount=9),
            WARNING,
            "few for Batch hosts",
            "subnet_id",
        ),
        Wrong(
            "subnet",
            "ec2.DescribeSubnets",
            subnet(OwnerId="210987654321"),
            WARNING,
            "is shared by account 210987654321",
            f"sed -E 's#:{ACCOUNT}:(subnet|vpc)/#:210987654321:\\1/#'",
        ),
    ],
    ids=str,
)
def test_one_thing_wrong(aws: RecordedAws, target: Target, wrong: Wrong) -> None:
    """What is wrong with the network is found, named, and comes with what mends it."""
    wrong.assert_found(aws, target)
