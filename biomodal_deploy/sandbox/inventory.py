"""What is in an account, read through the AWS API: the proof that a destroy left nothing.

The clients that read it can reach the sandbox and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from pathlib import Path
from typing import Final

import boto3
import botocore.session
import jmespath  # type: ignore[import-untyped]
from botocore.client import BaseClient
from botocore.config import Config

from biomodal_deploy.sandbox.account import ACCESS_KEY_ID, SECRET_ACCESS_KEY, Item

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
