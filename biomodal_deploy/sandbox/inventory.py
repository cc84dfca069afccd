"""What is in an account, read through the AWS API, and what a fresh one is filled with.

What a destroy has left is told by it. The clients can reach the sandbox and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import boto3
import botocore.session
import jmespath  # type: ignore[import-untyped]
from botocore.client import BaseClient
from botocore.config import Config

from biomodal_deploy.config.contract.aws import CANONICAL, ECS_INSTANCE_ROLE, IMAGE_NAME
from biomodal_deploy.sandbox.account import (
    ACCESS_KEY_ID,
    ACCOUNT_ALIAS,
    SECRET_ACCESS_KEY,
    Account,
    Item,
)

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from types_boto3_ec2 import EC2Client
    from types_boto3_iam import IAMClient


# A terminated instance is still listed for an hour, on AWS as here; it bills nothing.
_INSTANCES: Final = "Reservations[].Instances[] | [?State.Name != 'terminated'].InstanceId"
_INTERFACES: Final = "NetworkInterfaces[].NetworkInterfaceId"
_ENVIRONMENTS: Final = "computeEnvironments[].computeEnvironmentName"

# By service: what is listed, by which call, and where in its answer the ids are (a JMESPath).
LISTINGS: Final[dict[str, tuple[tuple[str, str, str], ...]]] = {
    "ec2": (
        ("EC2 instance", "describe_instances", _INSTANCES),
        ("Elastic IP", "describe_addresses", "Addresses[].AllocationId"),
        ("EBS volume", "describe_volumes", "Volumes[].VolumeId"),
        ("EBS snapshot", "describe_snapshots", "Snapshots[].SnapshotId"),
        ("machine image", "describe_images", "Images[].ImageId"),
        ("key pair", "describe_key_pairs", "KeyPairs[].KeyName"),
        ("network interface", "describe_network_interfaces", _INTERFACES),
        ("security group", "describe_security_groups", "SecurityGroups[].GroupId"),
        ("launch template", "describe_launch_templates", "LaunchTemplates[].LaunchTemplateName"),
        ("VPC", "describe_vpcs", "Vpcs[].VpcId"),
        ("subnet", "describe_subnets", "Subnets[].SubnetId"),
        ("route table", "describe_route_tables", "RouteTables[].RouteTableId"),
        (
            "internet gateway",
            "describe_internet_gateways",
            "InternetGateways[].InternetGatewayId",
        ),
        (
            "VPC endpoint",
            "describe_vpc_endpoints",
            "VpcEndpoints[?State != 'deleted'].VpcEndpointId",
        ),
    ),
    "iam": (
        ("IAM role", "list_roles", "Roles[].RoleName"),
        ("instance profile", "list_instance_profiles", "InstanceProfiles[].InstanceProfileName"),
        ("IAM policy", "list_policies", "Policies[].PolicyName"),
        ("IAM user", "list_users", "Users[].UserName"),
    ),
    "s3": (("S3 bucket", "list_buckets", "Buckets[].Name"),),
    "ecr": (("ECR repository", "describe_repositories", "repositories[].repositoryName"),),
    "batch": (
        ("Batch job queue", "describe_job_queues", "jobQueues[].jobQueueName"),
        ("Batch compute environment", "describe_compute_environments", _ENVIRONMENTS),
        (
            "Batch job definition",
            "describe_job_definitions",
            "jobDefinitions[].jobDefinitionArn",
        ),
    ),
    "ecs": (("ECS cluster", "list_clusters", "clusterArns[]"),),
    "logs": (("log group", "describe_log_groups", "logGroups[].logGroupName"),),
    "cloudwatch": (("alarm", "describe_alarms", "MetricAlarms[].AlarmName"),),
    "budgets": (("budget", "describe_budgets", "Budgets[].BudgetName"),),
}
_PARAMETERS: Final[dict[str, dict[str, object]]] = {
    "describe_snapshots": {"OwnerIds": ["self"]},
    "describe_images": {"Owners": ["self"]},
    "list_policies": {"Scope": "Local"},
    "describe_job_definitions": {"status": "ACTIVE"},
}


def inventory(
    client: Callable[[str], BaseClient], account_id: str, services: Container[str] = tuple(LISTINGS)
) -> Iterator[Item]:
    """List what is in the account."""
    for service in (each for each in LISTINGS if each in services):
        made = client(service)
        for kind, operation, identifiers in LISTINGS[service]:
            parameters = dict(_PARAMETERS.get(operation, {}))
            if service == "budgets":
                parameters["AccountId"] = account_id
            for identifier in _listed(made, operation, identifiers, parameters):
                if identifier is not None:
                    yield Item(kind, str(identifier))


def _listed(
    client: BaseClient, operation: str, identifiers: str, parameters: dict[str, object]
) -> Iterator[object]:
    if client.can_paginate(operation):
        found: Iterator[object] = (
            client.get_paginator(operation).paginate(**parameters).search(identifiers)
        )
        return found
    answer = getattr(client, operation)(**parameters)
    return iter(jmespath.search(identifiers, answer) or ())


def client_factory(endpoint: str, region: str, config_file: Path) -> Callable[[str], BaseClient]:
    """Return a function that makes a client by the name of its service.

    Args:
        config_file: An AWS configuration of our own: the caller's, its profiles and its
            credentials are never opened, whatever the environment says.
    """
    core = botocore.session.Session()
    core.set_config_variable("config_file", str(config_file))
    core.set_config_variable("credentials_file", str(config_file))
    core.set_config_variable("profile", "default")
    session = boto3.session.Session(
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
        region_name=region,
        botocore_session=core,
    )
    config = Config(
        # An answer on loopback that failed once fails again: waiting only hides it.
        retries={"total_max_attempts": 1},
        proxies={},
        s3={"addressing_style": "path"},
        use_fips_endpoint=False,
        use_dualstack_endpoint=False,
    )

    def make(service: str) -> BaseClient:
        made: BaseClient = session.client(  # type: ignore[call-overload]
            service, endpoint_url=endpoint, config=config
        )
        return made

    return make


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
