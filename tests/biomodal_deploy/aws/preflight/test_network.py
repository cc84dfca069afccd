"""The VPC and the subnet: there, and with room."""

from __future__ import annotations

from typing import Any

import pytest

from biomodal_deploy.aws.checks import Verdict
from biomodal_deploy.aws.preflight.target import Target
from tests.support.preflight_cases import Well, Wrong, answer, cases
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

FAIL, WARNING, UNKNOWN = Verdict.FAIL, Verdict.WARNING, Verdict.UNKNOWN
NAT = routes(default_route(NatGatewayId="nat-1"))
TRANSIT = routes(default_route(TransitGatewayId="tgw-1"))
ROUTES, SUBNETS = "ec2.DescribeRouteTables", "ec2.DescribeSubnets"
OWNER = "210987654321"
SHARED = f"sed -E 's#:{ACCOUNT}:(subnet|vpc)/#:{OWNER}:\\1/#'"
LIST = f"aws ec2 describe-vpcs --region {REGION}"
CREATE_ROUTE = (
    f"aws ec2 create-route --region {REGION} --route-table-id rtb-own "
    "--destination-cidr-block 0.0.0.0/0 --gateway-id igw-1"
)
PUBLIC = (
    f"aws ec2 modify-subnet-attribute --region {REGION} --subnet-id {SUBNET} "
    "--map-public-ip-on-launch"
)
GATEWAY = (
    f"aws ec2 create-vpc-endpoint --region {REGION} --vpc-endpoint-type Gateway --vpc-id {VPC} "
    f"--service-name com.amazonaws.{REGION}.s3 --route-table-ids rtb-own"
)
ENDPOINTS = "endpoints for ecr.api, ecr.dkr, ecs, ecs-agent, ecs-telemetry, logs"
BLACKHOLE = routes({**default_route(GatewayId="igw-9"), "State": "blackhole"})
# A subnet without a table of its own uses the VPC's main one, here one without a route.
MAIN = routes(default_route(GatewayId="igw-1"), subnet="subnet-other")
NO_VPC, NO_SUBNET = no_such("InvalidVpcID.NotFound"), no_such("InvalidSubnetID.NotFound")
OTHERS, SET_VPC = subnet(VpcId="vpc-other"), 'set vpc_id = "vpc-other"'
NOTHING_REACHES = "leads to nat-1: the elastic IP attaches, but nothing reaches it"


@pytest.mark.parametrize(
    "wrong",
    [
        *cases("vpc", "ec2.DescribeVpcs", (NO_VPC, FAIL, f"there is no {VPC} in {REGION}", LIST)),
        *cases(
            "subnet",
            SUBNETS,
            (NO_SUBNET, FAIL, f"there is no {SUBNET}", f"--filters Name=vpc-id,Values={VPC}"),
            (OTHERS, FAIL, f"{SUBNET} belongs to vpc-other, not to {VPC}", SET_VPC),
            (subnet(AvailableIpAddressCount=0), FAIL, "has 0 free addresses", "subnet_id"),
            (subnet(AvailableIpAddressCount=9), WARNING, "few for Batch hosts", "subnet_id"),
            (subnet(OwnerId=OWNER), WARNING, f"is shared by account {OWNER}", SHARED),
        ),
        *cases(
            "vm-internet",
            ROUTES,
            (NAT, WARNING, NOTHING_REACHES, "subnet_id"),
            (routes(), FAIL, f"{SUBNET} has no route to the internet", CREATE_ROUTE),
            (BLACKHOLE, FAIL, "leads to igw-9, which is gone", "aws ec2 replace-route"),
            (TRANSIT, UNKNOWN, "leads to tgw-1", "ask whoever runs that network"),
            (MAIN, FAIL, "has no route to the internet", "--route-table-id rtb-main"),
        ),
        Wrong(
            "hosts-aws",
            SUBNETS,
            subnet(MapPublicIpOnLaunch=False),
            FAIL,
            "Batch hosts get no public address",
            PUBLIC,
        ),
        *cases(
            "hosts-aws",
            ROUTES,
            (routes(), FAIL, "no way to ECS", ENDPOINTS),
            (TRANSIT, UNKNOWN, "tgw-1", "ask"),
        ),
        *cases(
            "s3-endpoint",
            ROUTES,
            (NAT, WARNING, "nat-1 charges for every gigabyte", GATEWAY),
            (routes(), FAIL, "the bucket is out of reach", "aws ec2 create-vpc-endpoint"),
        ),
    ],
    ids=str,
)
def test_one_thing_wrong(aws: RecordedAws, target: Target, wrong: Wrong) -> None:
    """What is wrong with the network is found, named, and comes with what fixes it."""
    wrong.assert_found(aws, target)


FAIL, WARNING, UNKNOWN = Verdict.FAIL, Verdict.WARNING, Verdict.UNKNOWN


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


GATEWAY_ENDPOINT = endpoints(endpoint("s3", "Gateway", "rtb-own"))
THROUGH_HOSTS = {ROUTES: routes(), "ec2.DescribeVpcEndpoints": endpoints(*HOSTS)}
THROUGH_GATEWAY = {ROUTES: NAT, "ec2.DescribeVpcEndpoints": GATEWAY_ENDPOINT}
THROUGH_INTERFACE = {ROUTES: NAT, "ec2.DescribeVpcEndpoints": endpoints(endpoint("s3"))}


@pytest.mark.parametrize(
    "well",
    [
        Well("vm-internet", {}, "rtb-own leads to igw-1"),
        Well("hosts-aws", {ROUTES: NAT}, "through nat-1"),
        Well("hosts-aws", THROUGH_HOSTS, "through VPC endpoints"),
        Well("s3-endpoint", THROUGH_GATEWAY, "through its gateway endpoint"),
        Well("s3-endpoint", THROUGH_INTERFACE, "through its interface endpoint"),
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
