"""Commands that fix, remove or keep something, as a person would type them; nothing runs them."""

from __future__ import annotations

import shlex
from typing import Final

START_VM: Final = "biomodal-aws vm start"


def aws(service: str, verb: str, region: str, *words: str) -> str:
    """Return a command of the AWS CLI."""
    return shlex.join(["aws", service, verb, "--region", region, *words])


def iam(verb: str, *words: str) -> str:
    """Return a command of IAM's, which has no regions."""
    return shlex.join(["aws", "iam", verb, *words])


def show_console(instance_id: str, region: str) -> str:
    """Return the command that shows what the VM has printed on its console."""
    words = ("--instance-id", instance_id, "--latest", "--output", "text")
    return aws("ec2", "get-console-output", region, *words)


ALL_VERSIONS: Final = "{Objects: [Versions, DeleteMarkers][].{Key: Key, VersionId: VersionId}}"


def remove_bucket(name: str, region: str, *, versions: bool) -> tuple[str, ...]:
    """Return what deletes a bucket with everything in it.

    Args:
        versions: Whether it holds former versions or delete markers, which `aws s3` does not see.
    """
    remove = shlex.join(["aws", "s3", "rb", f"s3://{name}", "--force", "--region", region])
    if not versions:
        return (remove,)
    # As many as one call deletes.
    at_most = ("--max-items", "1000")
    shown = ("--query", ALL_VERSIONS, "--output", "json")
    listed = aws("s3api", "list-object-versions", region, "--bucket", name, *at_most, *shown)
    delete = aws("s3api", "delete-objects", region, "--bucket", name, "--delete")
    # A thousand at a time: repeated until it says that there is nothing.
    return (f'{delete} "$({listed})"', remove)


def copy_bucket(name: str) -> str:
    """Return what copies a bucket's objects elsewhere."""
    return f"aws s3 sync {shlex.quote(f's3://{name}')} s3://ANOTHER-BUCKET"


def abort_uploads(name: str, region: str) -> str:
    """Return what lists a bucket's unfinished uploads."""
    return aws("s3api", "list-multipart-uploads", region, "--bucket", name)


def remove_repository(name: str, region: str) -> str:
    """Return what deletes a repository with all its images."""
    return aws("ecr", "delete-repository", region, "--repository-name", name, "--force")


def remove_from_batch(kind: str, name: str, region: str) -> tuple[str, str]:
    """Return what disables and then deletes a `job-queue` or a `compute-environment`."""
    words = (f"--{kind}", name)
    return (
        aws("batch", f"update-{kind}", region, *words, "--state", "DISABLED"),
        aws("batch", f"delete-{kind}", region, *words),
    )


def list_jobs(queue: str, status: str, region: str) -> str:
    """Return what lists a queue's jobs of one status."""
    return aws("batch", "list-jobs", region, "--job-queue", queue, "--job-status", status)


def end_jobs(queue: str, statuses: tuple[str, ...], region: str) -> str:
    """Return the shell loop that ends all jobs of a queue."""
    shown = ("--query", "jobSummaryList[].jobId", "--output", "text")
    listed = aws("batch", "list-jobs", region, "--job-queue", queue, *shown)
    end = aws("batch", "terminate-job", region, "--reason", "destroy")
    return (
        f"for status in {' '.join(statuses)}; do for job in $({listed} --job-status $status); "
        f"do {end} --job-id $job; done; done"
    )


def unprotect(instance_id: str, region: str) -> str:
    """Return what lifts a VM's termination protection."""
    words = ("--instance-id", instance_id, "--no-disable-api-termination")
    return aws("ec2", "modify-instance-attribute", region, *words)


def allow_stop(instance_id: str, region: str) -> str:
    """Return what lifts a VM's stop protection."""
    words = ("--instance-id", instance_id, "--no-disable-api-stop")
    return aws("ec2", "modify-instance-attribute", region, *words)


def keep_snapshot(volume_id: str, region: str) -> str:
    """Return what copies a volume to a snapshot."""
    return aws("ec2", "create-snapshot", region, "--volume-id", volume_id)
