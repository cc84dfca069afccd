"""The VPC and the subnet: there, and with room."""

from __future__ import annotations

from typing import Any

import pytest

from biomodal_deploy.aws.checks import Verdict
from biomodal_deploy.aws.preflight.target import Target
from tests.support.preflight_cases import Well, Wrong, answer
from tests.support.recorded_aws import (
    ACCOUNT,
    REGION,
    SUBNET,
    VPC,
    RecordedAws,
    default_route,
    no_such,
    routes,
    subnet,
)

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


FAIL, WARNING, UNKNOWN = Verdict.FAIL, Verdict.WARNING, Verdict.UNKNOWN
NAT = routes(default_route(NatGatewayId="nat-1"))


def endpoint(service: str, kind: str = "Interface", *tables: str) -> dict[str, Any]:
    """Return a VPC endpoint as EC2 describes it."""
    return {
        "ServiceName": f"com.amazonaws.{REGION}.{service}",
        "VpcEndpointType": kind,
        "RouteTableIds": list(tables),
    }


def endpoints(*found: dict[str, Any]) -> dict[str, Any]:
    """Return VPC endpoints as EC2 describes them."""
    return {"VpcEndpoints": list(found)}


HOSTS = [
    endpoint(name) for name in ("ecs", "ecs-agent", "ecs-telemetry", "ecr.api", "ecr.dkr", "logs")
]


@pytest.mark.parametrize(
    "wrong",
    [
        Wrong(
            "vm-internet",
            "ec2.DescribeRouteTables",
            NAT,
            WARNING,
            "leads to nat-1: the elastic IP attaches, but nothing reaches it",
            "subnet_id",
        ),
        Wrong(
            "vm-internet",
            "ec2.DescribeRouteTables",
            routes(),
            FAIL,
            f"{SUBNET} has no route to the internet",
            (
                f"aws ec2 create-route --region {REGION} --route-table-id rtb-own "
                "--destination-cidr-block 0.0.0.0/0 --gateway-id igw-1"
            ),
        ),
        Wrong(
            "vm-internet",
            "ec2.DescribeRouteTables",
            routes({**default_route(GatewayId="igw-9"), "State": "blackhole"}),
            FAIL,
            "leads to igw-9, which is gone",
            "aws ec2 replace-route",
        ),
        Wrong(
            "vm-internet",
            "ec2.DescribeRouteTables",
            routes(default_route(TransitGatewayId="tgw-1")),
            UNKNOWN,
            "leads to tgw-1",
            "ask whoever runs that network",
        ),
        # A subnet without a table of its own uses the VPC's main one, here one without a route.
        Wrong(
            "vm-internet",
            "ec2.DescribeRouteTables",
            routes(default_route(GatewayId="igw-1"), subnet="subnet-other"),
            FAIL,
            "has no route to the internet",
            "--route-table-id rtb-main",
        ),
        Wrong(
            "hosts-aws",
            "ec2.DescribeSubnets",
            subnet(MapPublicIpOnLaunch=False),
            FAIL,
            "Batch hosts get no public address",
            (
                f"aws ec2 modify-subnet-attribute --region {REGION} --subnet-id {SUBNET} "
                "--map-public-ip-on-launch"
            ),
        ),
        Wrong(
            "hosts-aws",
            "ec2.DescribeRouteTables",
            routes(),
            FAIL,
            "no way to ECS",
            "endpoints for ecr.api, ecr.dkr, ecs, ecs-agent, ecs-telemetry, logs",
        ),
        Wrong(
            "hosts-aws",
            "ec2.DescribeRouteTables",
            routes(default_route(TransitGatewayId="tgw-1")),
            UNKNOWN,
            "tgw-1",
            "ask",
        ),
        Wrong(
            "s3-endpoint",
            "ec2.DescribeRouteTables",
            NAT,
            WARNING,
            "nat-1 charges for every gigabyte",
            (
                f"aws ec2 create-vpc-endpoint --region {REGION} --vpc-endpoint-type Gateway "
                f"--vpc-id {VPC} --service-name "
                f"com.amazonaws.{REGION}.s3 --route-table-ids rtb-own"
            ),
        ),
        Wrong(
            "s3-endpoint",
            "ec2.DescribeRouteTables",
            routes(),
            FAIL,
            "the bucket is out of reach",
            "aws ec2 create-vpc-endpoint",
        ),
    ],
    ids=str,
)
def test_one_thing_wrong_on_the_way_out(aws: RecordedAws, target: Target, wrong: Wrong) -> None:
    """A way that leads nowhere is found, named, and comes with what mends it."""
    wrong.assert_found(aws, target)


@pytest.mark.parametrize(
    "well",
    [
        Well("vm-internet", {}, "rtb-own leads to igw-1"),
        Well("hosts-aws", {"ec2.DescribeRouteTables": NAT}, "through nat-1"),
        Well(
            "hosts-aws",
            {"ec2.DescribeRouteTables": routes(), "ec2.DescribeVpcEndpoints": endpoints(*HOSTS)},
            "through VPC endpoints",
        ),
        Well(
            "s3-endpoint",
            {
                "ec2.DescribeRouteTables": NAT,
                "ec2.DescribeVpcEndpoints": endpoints(endpoint("s3", "Gateway", "rtb-own")),
            },
            "through its gateway endpoint",
        ),
        Well(
            "s3-endpoint",
            {"ec2.DescribeRouteTables": NAT, "ec2.DescribeVpcEndpoints": endpoints(endpoint("s3"))},
            "through its interface endpoint",
        ),
    ],
    ids=str,
)
def test_what_is_well(aws: RecordedAws, target: Target, well: Well) -> None:
    """What looks odd and works passes."""
    well.assert_passed(aws, target)


def test_an_endpoint_of_another_table_or_a_deleted_one_does_not_help(
    aws: RecordedAws, target: Target
) -> None:
    """A gateway endpoint serves the route tables that know it, and only while it is there."""
    aws.answers["ec2.DescribeRouteTables"] = NAT
    elsewhere = endpoint("s3", "Gateway", "rtb-main")
    deleted = {**endpoint("s3", "Gateway", "rtb-own"), "State": "deleted"}
    for useless in (elsewhere, deleted):
        aws.answers["ec2.DescribeVpcEndpoints"] = endpoints(useless)
        assert answer(aws, target, "s3-endpoint").verdict is WARNING
