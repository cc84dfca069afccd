"""Every check, in the order in which a stack depends on what they ask about."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Final

from biomodal_deploy.aws.checks import Check, Finding
from biomodal_deploy.aws.preflight.checks import (
    caller,
    keys,
    machine,
    names,
    network,
    permissions,
    quotas,
    roles,
)
from biomodal_deploy.aws.preflight.checks.permissions import NeededActions
from biomodal_deploy.aws.preflight.facts import Facts
from biomodal_deploy.aws.preflight.target import Target

OPTIONS: Final = "options"
_ONLY_WHERE: Final[dict[str, Callable[[Target], bool]]] = {
    OPTIONS: lambda target: target.hardened is not None,
    "bucket-key": lambda target: target.existing_bucket is not None,
}
"""Checks that not every stack has."""


class Layer(StrEnum):
    """What a check is about, in the order in which a stack depends on it."""

    ACCOUNT = "Account"
    NETWORK = "Network"
    ROLES = "Roles"
    NAMES = "Names"
    MACHINE = "Machine"
    QUOTAS = "Quotas"
    PERMISSIONS = "Permissions"


_QUICK: Final = True
_CHECKS: Final[dict[Layer, tuple[tuple[str, str, Callable[[Facts], Finding], bool], ...]]] = {
    Layer.ACCOUNT: (
        ("credentials", "Credentials", caller.credentials, _QUICK),
        ("region", "Region", caller.region, _QUICK),
        ("partition", "Partition", caller.partition, _QUICK),
        ("limits", "Limits of the stack", caller.limits, _QUICK),
    ),
    Layer.NETWORK: (
        ("vpc", "VPC", network.vpc, _QUICK),
        ("subnet", "Subnet", network.subnet, _QUICK),
        ("vm-internet", "VM to the internet and back", network.vm_internet, False),
        ("hosts-aws", "Batch hosts to AWS", network.hosts_aws, False),
        ("s3-endpoint", "Route to S3", network.s3_endpoint, False),
    ),
    Layer.ROLES: (
        ("batch-service-role", "Batch's service role", roles.batch_service_role, _QUICK),
        ("spot-service-role", "Spot's service role", roles.spot_service_role, _QUICK),
        ("ecs-instance-role", "Batch hosts' role", roles.ecs_instance_role, _QUICK),
        ("tasks-bucket", "Batch tasks to the bucket", roles.tasks_bucket, False),
    ),
    Layer.NAMES: (
        ("bucket", "Bucket", names.bucket, _QUICK),
        ("bucket-key", "Key of the existing bucket", keys.bucket_key, False),
        ("key-pair", "Key pair", names.key_pair, _QUICK),
        ("repository", "ECR repository", names.repository, _QUICK),
        ("role", "VM role", names.role, _QUICK),
        ("instance-profile", "VM instance profile", names.instance_profile, _QUICK),
        ("security-group", "Security group", names.security_group, _QUICK),
        ("launch-template", "Launch template", names.launch_template, _QUICK),
        ("compute-environment", "Compute environment", names.compute_environment, _QUICK),
        ("job-queue", "Job queue", names.job_queue, _QUICK),
        (OPTIONS, "What the options name", names.options, _QUICK),
    ),
    Layer.MACHINE: (
        ("image", "Ubuntu image", machine.image, False),
        ("instance-type", "Instance type", machine.instance_type, _QUICK),
        ("volume-key", "Key of the volumes", keys.volume_key, False),
        ("rehearsal", "Rehearsed launch", machine.rehearsal, False),
    ),
    Layer.QUOTAS: (
        ("elastic-ips", "Elastic IPs", quotas.elastic_ips, _QUICK),
        ("on-demand-vcpus", "On-Demand vCPUs", quotas.on_demand_vcpus, _QUICK),
        ("spot-vcpus", "Spot vCPUs", quotas.spot_vcpus, False),
        ("batch-environments", "Compute environments", quotas.batch_environments, _QUICK),
        ("batch-queues", "Job queues", quotas.batch_queues, _QUICK),
    ),
}


def all_checks(facts: Facts, needed_actions: NeededActions | None = None) -> tuple[Check, ...]:
    """Return the checks that a stack has."""
    policy = partial(permissions.caller_policy, facts, needed_actions)
    return (
        *(
            Check(name, title, partial(check, facts), layer, quick, name == "credentials")
            for layer, checks in _CHECKS.items()
            for name, title, check, quick in checks
            if name not in _ONLY_WHERE or _ONLY_WHERE[name](facts.target)
        ),
        Check("caller-policy", "What the caller may do", policy, Layer.PERMISSIONS),
    )
