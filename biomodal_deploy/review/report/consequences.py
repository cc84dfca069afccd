"""What an update in place does to what runs and to what is stored, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from biomodal_deploy.plan import AttributeChange, ResourceChange

_RESTARTS: Final = "stops the VM and starts it again: SSH sessions and running pipelines end"
_HOSTS: Final = "Batch replaces its hosts: jobs that run on them may be interrupted and start over"
_DELETES_OBJECTS: Final = "decides which objects S3 deletes, and when: within a day of the apply"

# By type and the start of the attribute's path: AWS provider and AWS documentation of each.
_UPDATES: Final = (
    ("aws_instance", "instance_type", _RESTARTS),
    ("aws_instance", "user_data", _RESTARTS),
    ("aws_instance", "ebs_optimized", _RESTARTS),
    ("aws_instance", "cpu_options", _RESTARTS),
    (
        "aws_instance",
        "root_block_device[0].volume_size",
        "changes the disk while the VM runs; its file system follows when the VM starts next",
    ),
    ("aws_batch_compute_environment", "compute_resources[0].max_vcpus", "limits new jobs only"),
    (
        "aws_batch_compute_environment",
        "compute_resources[0].min_vcpus",
        "so many vCPUs run, and are billed, without any job",
    ),
    (
        "aws_batch_compute_environment",
        "compute_resources[0].desired_vcpus",
        "Batch sets this number itself while jobs run, and refuses a lower one",
    ),
    ("aws_batch_compute_environment", "compute_resources", _HOSTS),
    ("aws_batch_compute_environment", "state", "a disabled one starts no jobs"),
    ("aws_batch_job_queue", "state", "a disabled one takes no jobs"),
    ("aws_s3_bucket_lifecycle_configuration", "rule", _DELETES_OBJECTS),
    (
        "aws_s3_bucket_versioning",
        "versioning_configuration",
        "where it is suspended, an object that is overwritten or deleted is lost",
    ),
    ("aws_s3_bucket", "force_destroy", "where it is true, a destroy deletes every object"),
    ("aws_ecr_repository", "force_delete", "where it is true, a destroy deletes every image"),
    ("aws_ecr_lifecycle_policy", "policy", "decides which images ECR deletes, and when"),
    ("aws_cloudwatch_log_group", "retention_in_days", "logs that are older are deleted"),
)


def consequence_of(change: ResourceChange) -> str:
    """Return what an update does, in words; empty where it touches nothing that runs or lasts."""
    found = (_of(change.type, each) for each in change.updates)
    return "; ".join(dict.fromkeys(filter(None, found)))


def _of(kind: str, attribute: AttributeChange) -> str:
    return next(_meanings(kind, attribute.path), "")


def _meanings(kind: str, path: str) -> Iterator[str]:
    for type_, start, meaning in _UPDATES:
        if kind == type_ and path.startswith(start):
            yield meaning
