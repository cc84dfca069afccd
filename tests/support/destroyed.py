"""A destroy plan of a whole stack, native or in a module, and what it is about."""

from __future__ import annotations

from typing import Any, Final

from biomodal_deploy.aws.ledger.target import Target, target_of
from biomodal_deploy.plan import Plan
from tests.support.operated import ACCOUNT, ADDRESS, NAME, REGION, VM, arn, environment, queue
from tests.support.plans import output, plan, resource
from tests.support.sealed_plans import facts

DISK: Final = "vol-0a1b2c3d4e5f60718"
ALLOCATION: Final = "eipalloc-0a1b2c3d4e5f60718"
GROUP: Final = "sg-0a1b2c3d4e5f60718"
LOGS: Final = f"/biomodal/{NAME}/tasks"
VARIABLES: Final = {
    "vm_name": NAME,
    "tag_key": "environment",
    "tag_value": "development",
    "bucket_force_destroy": False,
}

Attributes = dict[str, Any]


def held() -> dict[str, Attributes]:
    """Return what a hardened stack holds, by address."""
    return {
        "aws_s3_bucket.data_bucket[0]": {
            "id": NAME,
            "bucket": NAME,
            "force_destroy": False,
            "object_lock_enabled": False,
        },
        "aws_s3_bucket_versioning.data_bucket[0]": {"bucket": NAME},
        "aws_s3_bucket_public_access_block.data_bucket[0]": {"bucket": NAME},
        "aws_ecr_repository.image_repository": {"name": NAME, "force_delete": None},
        "aws_ecr_lifecycle_policy.image_repository": {"repository": NAME},
        "aws_batch_compute_environment.batch": environment(),
        "aws_batch_job_queue.job_queue": queue(f"{NAME}-job-queue", ""),
        "aws_instance.vm": {
            "id": VM,
            "arn": arn("ec2", f"instance/{VM}"),
            "root_block_device": [{"volume_id": DISK, "delete_on_termination": True}],
            "ebs_block_device": [],
            "tags_all": {"Name": NAME, "environment": "development"},
        },
        "aws_eip.public_ip": {"allocation_id": ALLOCATION, "public_ip": ADDRESS},
        "aws_cloudwatch_log_group.task_logs[0]": {"name": LOGS},
        "aws_launch_template.batch": {"id": "lt-1", "name": f"{NAME}-batch-launch-template"},
        "aws_key_pair.ssh_key": {"key_name": NAME},
        "aws_security_group.ssh": {"id": GROUP, "name": f"{NAME}-sg"},
    }


def destroy_plan(
    resources: dict[str, Attributes] | None = None, *, bucket: str = NAME, module: str = ""
) -> Plan:
    """Return the destroy plan of a stack."""
    prefix = f"{module}." if module else ""
    found = held() if resources is None else resources
    return plan(
        *(resource(f"{prefix}{at}", "delete", values) for at, values in found.items()),
        output_changes={"bucket_url": output("delete", f"s3://{bucket}")},
        # What is not declared would count as secret.
        configuration={"root_module": {"variables": {key: {} for key in VARIABLES}}},
        variables={key: {"value": value} for key, value in VARIABLES.items()},
    )


def destroyed(
    resources: dict[str, Attributes] | None = None, *, bucket: str = NAME, module: str = ""
) -> Target:
    """Return what the destroy plan of a stack is about."""
    where = facts(stack="lab", account=ACCOUNT, region=REGION, directory="cdktf.out/stacks/lab")
    return target_of(where, destroy_plan(resources, bucket=bucket, module=module))
