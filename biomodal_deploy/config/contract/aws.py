"""AWS's patterns and limits, and the names that a stack gives to what it makes: each once.

The stacks write these names, and the workflow looks for them in the account. Patterns have no
anchors and no backslash, as those of `validation.py`.

Sources: Amazon S3 user guide, "General purpose bucket naming rules"; IAM user guide, "IAM and AWS
STS quotas"; Ubuntu on AWS documentation, "Find Ubuntu images" (owners by partition).
"""

from __future__ import annotations

import re
from typing import Final

ACCOUNT: Final = "[0-9]{12}"
ACCOUNT_RULE: Final = "An AWS account id has 12 digits"
# The European Sovereign Cloud's regions have four letters in front: eusc-de-east-1.
REGION: Final = "[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}"
REGION_RULE: Final = "An AWS region reads like us-east-1 or eu-west-2"
BUCKET: Final = "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
NO_BUCKET: Final = (
    "(xn--|sthree-|amzn-s3-demo-).*|.*(-s3alias|--ol-s3|[.]mrap|--x-s3|--table-s3)"
    "|[0-9]{1,3}([.][0-9]{1,3}){3}|.*[.][.].*"
)
"""Names of the form `BUCKET` that no general purpose bucket can have."""
NO_BUCKET_RULE: Final = (
    "Amazon S3 reserves bucket names that start with xn--, sthree- or amzn-s3-demo-, or end with "
    "-s3alias, --ol-s3, .mrap, --x-s3 or --table-s3, and takes no IP address and no two dots in "
    "a row"
)
_UUID: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
KMS_KEY_ID: Final = f"(?:{_UUID}|mrk-[0-9a-f]{{32}})"
KMS_KEY_ARN: Final = f"arn:aws[a-z-]*:kms:{REGION}:{ACCOUNT}:key/{KMS_KEY_ID}"
KMS_KEY_ARN_RULE: Final = (
    "A KMS key is written as its ARN, arn:aws:kms:REGION:ACCOUNT:key/ID: IAM knows no alias"
)

IMAGE_NAME: Final = "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*"
"""Ubuntu 22.04 LTS, from Canonical."""
CANONICAL: Final = {"aws": "099720109477", "aws-cn": "837727238323", "aws-us-gov": "513442679011"}

OWN_TAG: Final = "biomodal-deployment"
"""Key of the tag that tells a stack's resources from its neighbours'; its value is vm_name."""

ECS_INSTANCE_ROLE: Final = "ecsInstanceRole"
"""The Batch hosts' shared role and instance profile, of the documented profile."""
ECS_ROLE_POLICY: Final = "AmazonEC2ContainerServiceforEC2Role"
ROLE_LENGTH: Final = 64
"""Characters of a role's name; vm_name may have 63 and a prefix."""
HOST_SUFFIX: Final = "-batch-host"
"""What the hardened profile's hosts, and their role, are called after the VM's name."""
BATCH_VCPUS: Final = 256
"""The most vCPUs of a Batch compute environment, as documented."""
WORK_FOLDER: Final = "nf-work"
"""Nextflow's work directory: it takes no bucket's root, and this one expires."""
BATCH_LOGS: Final = "/aws/batch/job"
"""The log group of Batch jobs that name none: one for all of a region's (Batch user guide)."""
SMOKE_IMAGE: Final = "public.ecr.aws/docker/library/python:3.13-slim"
"""What `smoke` runs in: Python alone, with the glibc that the hosts' AWS command line needs."""


def principals(partition: str, service: str) -> tuple[str, ...]:
    """Return the names by which IAM knows a service in a partition: China has a second one."""
    name = f"{service}.amazonaws.com"
    return (name, f"{name}.cn") if partition == "aws-cn" else (name,)


def key_region(key_arn: str) -> str:
    """Return the region of a KMS key."""
    return key_arn.split(":")[3]


def through(key_arn: str, *services: str) -> tuple[str, ...]:
    """Return the values of `kms:ViaService` for services that use a KMS key in its region.

    Args:
        services: The services, such as `s3`.
    """
    _, partition, _, region, *_ = key_arn.split(":")
    return tuple(
        name for service in services for name in principals(partition, f"{service}.{region}")
    )


def security_group_name(vm_name: str) -> str:
    """Return the name of the VM's security group."""
    return f"{vm_name}-sg"


def job_queue_name(vm_name: str) -> str:
    """Return the name of the Batch job queue."""
    return f"{vm_name}-job-queue"


def on_demand_queue_name(vm_name: str) -> str:
    """Return the name of the hardened profile's second queue, of On-Demand hosts."""
    return f"{job_queue_name(vm_name)}-on-demand"


def launch_template_name(vm_name: str) -> str:
    """Return the name of the Batch hosts' launch template."""
    return f"{vm_name}-batch-launch-template"


def bucket_name_problem(name: str) -> str | None:
    """Return the rule of Amazon S3 that a bucket's name breaks, or None."""
    if not re.fullmatch(BUCKET, name):
        return (
            "a bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens, and a "
            "letter or digit at both ends"
        )
    return NO_BUCKET_RULE if re.fullmatch(NO_BUCKET, name) else None
