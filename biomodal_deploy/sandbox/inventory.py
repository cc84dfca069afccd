"""What is in an account, read through the AWS API: the proof that a destroy left nothing.

The clients that read it can reach the sandbox and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import boto3
import botocore.session
import jmespath  # type: ignore[import-untyped]
from botocore.client import BaseClient
from botocore.config import Config

from biomodal_deploy.sandbox.account import ACCESS_KEY_ID, SECRET_ACCESS_KEY, Item


@dataclass(frozen=True)
class _Listing:
    """One call that lists things, and where in its answer their ids are (a JMESPath)."""

    kind: str
    service: str
    operation: str
    identifiers: str
    parameters: tuple[tuple[str, object], ...] = ()


# A terminated instance is still listed for an hour, on AWS as here; it bills nothing.
_INSTANCES: Final = "Reservations[].Instances[] | [?State.Name != 'terminated'].InstanceId"

_ACCOUNT: Final = "{account}"

LISTINGS: Final = (
    _Listing("EC2 instance", "ec2", "describe_instances", _INSTANCES),
    _Listing("Elastic IP", "ec2", "describe_addresses", "Addresses[].AllocationId"),
    _Listing("EBS volume", "ec2", "describe_volumes", "Volumes[].VolumeId"),
    _Listing(
        "EBS snapshot",
        "ec2",
        "describe_snapshots",
        "Snapshots[].SnapshotId",
        (("OwnerIds", ["self"]),),
    ),
    _Listing(
        "machine image", "ec2", "describe_images", "Images[].ImageId", (("Owners", ["self"]),)
    ),
    _Listing("key pair", "ec2", "describe_key_pairs", "KeyPairs[].KeyName"),
    _Listing(
        "network interface",
        "ec2",
        "describe_network_interfaces",
        "NetworkInterfaces[].NetworkInterfaceId",
    ),
    _Listing("security group", "ec2", "describe_security_groups", "SecurityGroups[].GroupId"),
    _Listing(
        "launch template",
        "ec2",
        "describe_launch_templates",
        "LaunchTemplates[].LaunchTemplateName",
    ),
    _Listing("VPC", "ec2", "describe_vpcs", "Vpcs[].VpcId"),
    _Listing("subnet", "ec2", "describe_subnets", "Subnets[].SubnetId"),
    _Listing("route table", "ec2", "describe_route_tables", "RouteTables[].RouteTableId"),
    _Listing(
        "internet gateway",
        "ec2",
        "describe_internet_gateways",
        "InternetGateways[].InternetGatewayId",
    ),
    _Listing(
        "VPC endpoint",
        "ec2",
        "describe_vpc_endpoints",
        "VpcEndpoints[?State != 'deleted'].VpcEndpointId",
    ),
    _Listing("IAM role", "iam", "list_roles", "Roles[].RoleName"),
    _Listing(
        "instance profile",
        "iam",
        "list_instance_profiles",
        "InstanceProfiles[].InstanceProfileName",
    ),
    _Listing("IAM policy", "iam", "list_policies", "Policies[].PolicyName", (("Scope", "Local"),)),
    _Listing("IAM user", "iam", "list_users", "Users[].UserName"),
    _Listing("S3 bucket", "s3", "list_buckets", "Buckets[].Name"),
    _Listing("ECR repository", "ecr", "describe_repositories", "repositories[].repositoryName"),
    _Listing("Batch job queue", "batch", "describe_job_queues", "jobQueues[].jobQueueName"),
    _Listing(
        "Batch compute environment",
        "batch",
        "describe_compute_environments",
        "computeEnvironments[].computeEnvironmentName",
    ),
    _Listing(
        "Batch job definition",
        "batch",
        "describe_job_definitions",
        "jobDefinitions[].jobDefinitionArn",
        (("status", "ACTIVE"),),
    ),
    _Listing("ECS cluster", "ecs", "list_clusters", "clusterArns[]"),
    _Listing("log group", "logs", "describe_log_groups", "logGroups[].logGroupName"),
    _Listing("alarm", "cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName"),
    _Listing(
        "budget", "budgets", "describe_budgets", "Budgets[].BudgetName", (("AccountId", _ACCOUNT),)
    ),
)
SERVICES: Final = frozenset(listing.service for listing in LISTINGS)


def inventory(
    client: Callable[[str], BaseClient], account_id: str, services: Container[str] = SERVICES
) -> Iterator[Item]:
    """List what is in the account."""
    clients: dict[str, BaseClient] = {}
    for listing in LISTINGS:
        if listing.service in services:
            if listing.service not in clients:
                clients[listing.service] = client(listing.service)
            yield from _listed(clients[listing.service], listing, account_id)


def _listed(client: BaseClient, listing: _Listing, account_id: str) -> Iterator[Item]:
    parameters = {
        name: account_id if value == _ACCOUNT else value for name, value in listing.parameters
    }
    if client.can_paginate(listing.operation):
        pages = client.get_paginator(listing.operation).paginate(**parameters)
        found = pages.search(listing.identifiers)
    else:
        answer = getattr(client, listing.operation)(**parameters)
        found = iter(jmespath.search(listing.identifiers, answer) or ())
    for identifier in found:
        if identifier is not None:
            yield Item(listing.kind, str(identifier))


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
