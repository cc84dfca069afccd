"""Fill a fresh account with what the document takes for granted, through the AWS API."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from biomodal_deploy.config.contract.aws import CANONICAL, ECS_INSTANCE_ROLE, IMAGE_NAME
from biomodal_deploy.sandbox.account import ACCOUNT_ALIAS, Account
from biomodal_deploy.sandbox.inventory import inventory

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from types_boto3_ec2 import EC2Client
    from types_boto3_iam import IAMClient

IMAGES: Final = Path(__file__).with_name("images.json")
_INSTANCE_POLICY: Final = "service-role/AmazonEC2ContainerServiceforEC2Role"
# The other services are empty until the first apply, and loading each takes its time.
_SEEDED: Final = frozenset({"ec2", "iam"})
_NETWORK: Final = "10.20.0.0/16"
_PUBLIC: Final = ("10.20.0.0/20", "10.20.16.0/20")
_PRIVATE: Final = "10.20.128.0/20"


def seed(
    client: Callable[[str], BaseClient], *, endpoint: str, region: str, account_id: str
) -> Account:
    """Fill the account, and say what is in it."""
    ec2 = cast("EC2Client", client("ec2"))
    _roles(cast("IAMClient", client("iam")))
    vpc_id, public, private = _network(ec2)
    return Account(
        endpoint=endpoint,
        region=region,
        account_id=account_id,
        vpc_id=vpc_id,
        subnet_ids=public,
        private_subnet_id=private,
        image_id=_newest_image(ec2),
        baseline=frozenset(inventory(client, account_id, _SEEDED)),
    )


def _network(ec2: EC2Client) -> tuple[str, tuple[str, ...], str]:
    """Make a VPC with DNS, a public subnet in each of two zones, and one without a way out."""
    vpc_id = ec2.create_vpc(CidrBlock=_NETWORK)["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsSupport={"Value": True})
    ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": True})
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc_id)
    table = ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]]
    public = []
    for block, zone in zip(_PUBLIC, zones, strict=False):
        subnet_id = _subnet(ec2, vpc_id, block, zone)
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet_id)
        ec2.modify_subnet_attribute(SubnetId=subnet_id, MapPublicIpOnLaunch={"Value": True})
        public.append(subnet_id)
    # It keeps the VPC's main route table, which knows no way out.
    private = _subnet(ec2, vpc_id, _PRIVATE, zones[0])
    names = {vpc_id: "sandbox", gateway: "sandbox", table: "sandbox-public"}
    names |= {subnet_id: f"sandbox-public-{n}" for n, subnet_id in enumerate(public, 1)}
    for resource, name in {**names, private: "sandbox-private"}.items():
        ec2.create_tags(Resources=[resource], Tags=[{"Key": "Name", "Value": name}])
    return vpc_id, tuple(public), private


def _subnet(ec2: EC2Client, vpc_id: str, block: str, zone: str) -> str:
    answer = ec2.create_subnet(VpcId=vpc_id, CidrBlock=block, AvailabilityZone=zone)
    return answer["Subnet"]["SubnetId"]


def _roles(iam: IAMClient) -> None:
    """Name the account, and make the document's prerequisites: Batch's role and the hosts' role."""
    iam.create_account_alias(AccountAlias=ACCOUNT_ALIAS)
    iam.create_service_linked_role(AWSServiceName="batch.amazonaws.com")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ec2.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    iam.create_role(RoleName=ECS_INSTANCE_ROLE, AssumeRolePolicyDocument=json.dumps(trust))
    iam.attach_role_policy(
        RoleName=ECS_INSTANCE_ROLE,
        PolicyArn=f"arn:{iam.meta.partition}:iam::aws:policy/{_INSTANCE_POLICY}",
    )
    iam.create_instance_profile(InstanceProfileName=ECS_INSTANCE_ROLE)
    iam.add_role_to_instance_profile(
        InstanceProfileName=ECS_INSTANCE_ROLE, RoleName=ECS_INSTANCE_ROLE
    )


def _newest_image(ec2: EC2Client) -> str:
    images = ec2.describe_images(
        Owners=[CANONICAL["aws"]], Filters=[{"Name": "name", "Values": [IMAGE_NAME]}]
    )["Images"]
    return max(images, key=lambda image: datetime.fromisoformat(image["CreationDate"]))["ImageId"]
