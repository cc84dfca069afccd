"""Every check, in the order in which a deployment depends on what they ask about."""

from __future__ import annotations

from functools import partial
from typing import Final

from biomodal_deploy.aws.answers import Layer
from biomodal_deploy.aws.check import Check
from biomodal_deploy.aws.preflight.checks import (
    bucket,
    caller,
    egress,
    machine,
    names,
    network,
    options,
    permissions,
    quotas,
    roles,
)
from biomodal_deploy.aws.preflight.needs import NeededActions

OPTIONS: Final = "options"
"""The one check that only the native hardened profile has."""


def all_checks(needed_actions: NeededActions | None = None) -> tuple[Check, ...]:
    """Return the checks.

    Args:
        needed_actions: Tells what an apply calls.
    """
    account, network_, roles_ = Layer.ACCOUNT, Layer.NETWORK, Layer.ROLES
    names_, machine_, quotas_ = Layer.NAMES, Layer.MACHINE, Layer.QUOTAS
    policy = partial(permissions.caller_policy, needed_actions=needed_actions)
    return (
        Check("credentials", account, "Credentials", caller.credentials, True, essential=True),
        Check("region", account, "Region", caller.region, quick=True),
        Check("partition", account, "Partition", caller.partition, quick=True),
        Check("limits", account, "Limits of the deployment", caller.limits, quick=True),
        Check("vpc", network_, "VPC", network.vpc, quick=True),
        Check("subnet", network_, "Subnet", network.subnet, quick=True),
        Check("vm-internet", network_, "VM to the internet and back", egress.vm_internet),
        Check("hosts-aws", network_, "Batch hosts to AWS", egress.hosts_aws),
        Check("s3-endpoint", network_, "Way to S3", egress.s3_endpoint),
        Check("batch-service-role", roles_, "Batch's service role", roles.batch_service_role, True),
        Check("spot-service-role", roles_, "Spot's service role", roles.spot_service_role, True),
        Check("ecs-instance-role", roles_, "Batch hosts' role", roles.ecs_instance_role, True),
        Check("tasks-bucket", roles_, "Batch tasks to the bucket", roles.tasks_bucket),
        Check("bucket", names_, "Bucket", bucket.bucket, quick=True),
        Check("key-pair", names_, "Key pair", names.key_pair, quick=True),
        Check("repository", names_, "ECR repository", names.repository, quick=True),
        Check("role", names_, "VM role", names.role, quick=True),
        Check("instance-profile", names_, "VM instance profile", names.instance_profile, True),
        Check("security-group", names_, "Security group", names.security_group, quick=True),
        Check("launch-template", names_, "Launch template", names.launch_template, quick=True),
        Check(
            "compute-environment", names_, "Compute environment", names.compute_environment, True
        ),
        Check("job-queue", names_, "Job queue", names.job_queue, quick=True),
        Check(OPTIONS, names_, "What the options name", options.options, quick=True),
        Check("image", machine_, "Ubuntu image", machine.image),
        Check("instance-type", machine_, "Instance type", machine.instance_type),
        Check("rehearsal", machine_, "Rehearsed launch", machine.rehearsal),
        Check("elastic-ips", quotas_, "Elastic IPs", quotas.elastic_ips),
        Check("on-demand-vcpus", quotas_, "On-Demand vCPUs", quotas.on_demand_vcpus),
        Check("spot-vcpus", quotas_, "Spot vCPUs", quotas.spot_vcpus),
        Check("batch-environments", quotas_, "Compute environments", quotas.batch_environments),
        Check("batch-queues", quotas_, "Job queues", quotas.batch_queues),
        Check("caller-policy", Layer.PERMISSIONS, "What the caller may do", policy),
    )
