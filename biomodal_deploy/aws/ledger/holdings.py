"""What a stack holds before a destroy: what becomes of it, and what stops the destroy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from biomodal_deploy.aws import commands
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.errors import classify_error, or_none
from biomodal_deploy.aws.ledger import Amount, Fate, Holding
from biomodal_deploy.aws.ledger.counting import (
    ACTIVE,
    WORKING,
    Contents,
    count_bucket,
    count_images,
    count_jobs,
    find_log_group,
)
from biomodal_deploy.aws.ledger.target import BUCKET, FORCE, REPOSITORY, Search
from biomodal_deploy.aws.resources import (
    INSTANCE_ENDED,
    Bucket,
    ElasticIp,
    JobQueue,
    LogGroup,
    Repository,
    Resource,
    Vm,
    describe_instance,
)
from biomodal_deploy.text import sized

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import InstanceTypeDef, VolumeTypeDef

# AWS Batch ends about 16 jobs a second, and Terraform's provider waits ten minutes for a queue.
_MOST_JOBS: Final = 9_000
_GIB: Final = 1024**3


def holding(
    kind: str,
    found: Resource,
    fate: Fate,
    line: str,
    *,
    name: str = "",
    amounts: tuple[Amount, ...] = (),
    fixes: tuple[str, ...] = (),
) -> Holding:
    """Return what was found of a resource, or under another name of a part of it."""
    return Holding(
        kind=kind,
        name=name or found.label,
        address=found.address,
        fate=fate,
        line=line,
        amounts=amounts,
        fixes=fixes,
    )


def bucket(search: Search, found: Bucket) -> list[Holding]:
    """Return what a bucket holds."""
    contents = or_none(
        lambda: count_bucket(search.clients, found.name, search.patience), "NoSuchBucket", "404"
    )
    if contents is None:
        return [_gone("bucket", found)]
    fate, why, fixes = _bucket_fate(search, found, contents)
    line, amounts = _told(contents.words(), why), contents.amounts()
    return [holding("bucket", found, fate, line, amounts=amounts, fixes=fixes)]


def _bucket_fate(
    search: Search, found: Bucket, contents: Contents
) -> tuple[Fate, str, tuple[str, ...]]:
    if found.address is None:
        return Fate.STAYS, "Terraform does not manage it, and does not touch it", ()
    target, region = search.target, search.region
    copy = f"to have the data elsewhere: {commands.copy_bucket(found.name)}"
    keep = (
        f"to keep the bucket: {target.kept_by(BUCKET, found.name, found.address)}, and plan again"
    )
    if contents.is_empty:
        if not contents.sees_versions:
            line = "whether former versions are in it nobody could tell"
            return Fate.UNKNOWN, line, ("allow s3:ListBucketVersions to the caller",)
        if contents.uploads:
            fix = f"to see them: {commands.abort_uploads(found.name, region)}"
            return Fate.LOST, "unfinished uploads go with it", (fix,)
        return Fate.EMPTY, "", ()
    if not found.is_emptied:
        emptying = commands.remove_bucket(found.name, region, versions=contents.has_versions)
        ways = (
            f"set {FORCE} = true, then biomodal-aws plan and biomodal-aws apply, then destroy"
            if target.may_force
            else f"{'; '.join(emptying)}; and plan again"
        )
        lose = f"to lose it all: {ways}"
        line = "S3 deletes no bucket that holds something, and force_destroy is off"
        return Fate.STOPS, line, (copy, keep, lose)
    if found.object_lock_enabled:
        line = "Object Lock is on: what is locked cannot be deleted before its time"
        return Fate.MAY_STOP, line, (copy, keep)
    return Fate.LOST, "force_destroy is on: all of it is deleted, for ever", (copy, keep)


def repository(search: Search, found: Repository) -> list[Holding]:
    """Return what a repository holds."""
    images = count_images(search.clients, found.name, search.patience)
    if images is None:
        return [_gone("repository", found)]
    fate, why, fixes = _repository_fate(search, found, images.count)
    line, amounts = _told(images.words(), why), images.amounts()
    return [holding("repository", found, fate, line, amounts=amounts, fixes=fixes)]


def _repository_fate(
    search: Search, found: Repository, images: int
) -> tuple[Fate, str, tuple[str, ...]]:
    if images == 0:
        return Fate.EMPTY, "", ()
    forget = search.target.kept_by(REPOSITORY, found.name, found.address or "")
    keep = f"to keep it: {forget}, and plan again"
    if found.is_emptied:
        return Fate.LOST, "force_delete is on: all of them are deleted", (keep,)
    lose = f"to lose them: {commands.remove_repository(found.name, search.region)}, and plan again"
    line = "ECR deletes no repository that holds images, and force_delete is off"
    return Fate.STOPS, line, (keep, lose)


def log_group(search: Search, found: LogGroup) -> list[Holding]:
    """Return what a log group holds."""
    group = find_log_group(search.clients, found.name)
    if group is None:
        return [_gone("log-group", found)]
    # CloudWatch counts now and then only, so a group that seems empty need not be.
    line = "no logs that CloudWatch has counted yet; what there is goes with it"
    if size := group.get("storedBytes", 0):
        line = f"{sized(size)} of logs; they go with it"
    fate = Fate.LOST if size else Fate.EMPTY
    return [holding("log-group", found, fate, line, amounts=_bytes(size))]


def job_queue(search: Search, found: JobQueue) -> list[Holding]:
    """Return which jobs of a queue are not over."""
    counts = count_jobs(search.clients, found.arn, search.patience)
    if counts is None:
        return [_gone("job-queue", found)]
    active = [each for each in counts if each.count]
    if not active:
        return [holding("job-queue", found, Fate.EMPTY, "no jobs")]
    words = ", ".join(each.words() for each in active)
    at_work = [each.what.removesuffix(" jobs").upper() for each in active]
    looked = next((each for each in at_work if each in WORKING), at_work[0])
    fixes = (
        f"to see them: {commands.list_jobs(found.name, looked, search.region)}",
        f"to end them first: {commands.end_jobs(found.name, ACTIVE, search.region)}",
    )
    fate, line = Fate.LOST, f"{words}; the destroy ends them in the middle of their work"
    if sum(each.count for each in active) > _MOST_JOBS:
        fate = Fate.STOPS
        line = (
            f"{words}; Batch ends about 16 jobs a second, and Terraform waits ten minutes for the "
            "queue"
        )
    return [holding("job-queue", found, fate, line, amounts=counts, fixes=fixes)]


def address(_: Search, found: ElasticIp) -> list[Holding]:
    """Return what becomes of an elastic IP address; the plan knows all of it."""
    line = "it is given back to AWS; nobody gets the same address again"
    return [holding("elastic-ip", found, Fate.LOST, line)]


def machine(search: Search, found: Vm) -> list[Holding]:
    """Return a VM's state, its volumes, and what protects it."""
    seen = describe_instance(search.clients, found.id)
    if seen is None or seen["State"]["Name"] in INSTANCE_ENDED:
        line = "it is gone already: terminated outside Terraform"
        return [holding("vm", found, Fate.GONE, line)]
    state = seen["State"]["Name"]
    what = "it runs" if state == "running" else f"it is {state}"
    line = (
        f"{what}, and is terminated; what runs on it ends, Nextflow's own process with its jobs too"
    )
    return [
        holding("vm", found, Fate.LOST, line),
        *_protection(found, search.clients),
        *_disks(found, seen, search.clients),
    ]


def _protection(found: Vm, clients: Clients) -> list[Holding]:
    """Return what keeps EC2 from terminating it, as far as that can be read."""
    try:
        ends, stops = _protected(found.id, clients)
    except (BotoCoreError, ClientError) as error:
        failure = classify_error(error, clients)
        line, fixes = f"whether it is protected: {failure.line}", (failure.fix,)
        return [holding("termination-protection", found, Fate.UNKNOWN, line, fixes=fixes)]
    holdings = []
    if ends:
        line = (
            "termination protection is on: Terraform lifts it first where you may "
            "(ec2:ModifyInstanceAttribute), and fails where you may not"
        )
        fixes = (f"to lift it yourself: {commands.unprotect(found.id, clients.region)}",)
        holdings.append(holding("termination-protection", found, Fate.MAY_STOP, line, fixes=fixes))
    if stops:
        # The provider sets this one to what the state says before it terminates.
        line = (
            "stop protection is on: EC2 neither stops nor terminates it, and Terraform does not "
            "lift it"
        )
        fixes = (f"to lift it: {commands.allow_stop(found.id, clients.region)}",)
        holdings.append(holding("stop-protection", found, Fate.STOPS, line, fixes=fixes))
    return holdings


def _protected(instance_id: str, clients: Clients) -> tuple[bool, bool]:
    """Return whether EC2 refuses to terminate it, and to stop it."""
    ask = clients.ec2().describe_instance_attribute
    ends = ask(InstanceId=instance_id, Attribute="disableApiTermination")
    stops = ask(InstanceId=instance_id, Attribute="disableApiStop")
    return (
        ends.get("DisableApiTermination", {}).get("Value", False),
        stops.get("DisableApiStop", {}).get("Value", False),
    )


def _disks(found: Vm, seen: InstanceTypeDef, clients: Clients) -> list[Holding]:
    mapped = {
        device["Ebs"]["VolumeId"]: device["Ebs"].get("DeleteOnTermination", False)
        for device in seen.get("BlockDeviceMappings", ())
        if "Ebs" in device and "VolumeId" in device["Ebs"]
    }
    sizes = _sizes(list(mapped), clients) if mapped else {}
    return [
        _disk(found, name, sizes.get(name), clients.region, goes=mapped[name]) for name in mapped
    ]


def _disk(vm: Vm, volume: str, size: int | None, region: str, *, goes: bool) -> Holding:
    line = sized(size * _GIB) if size is not None else "of unknown size"
    amounts = () if size is None else _bytes(size * _GIB)
    if not goes:
        line += "; delete_on_termination is off: it stays without a VM, and bills"
        return holding("volume", vm, Fate.STAYS, line, name=volume, amounts=amounts)
    line += "; deleted with the VM"
    fixes = (f"to keep what is on it: {commands.keep_snapshot(volume, region)}",)
    return holding("volume", vm, Fate.LOST, line, name=volume, amounts=amounts, fixes=fixes)


def _sizes(volumes: Sequence[str], clients: Clients) -> dict[str, int]:
    try:
        said: Sequence[VolumeTypeDef] = clients.ec2().describe_volumes(VolumeIds=volumes)["Volumes"]
    except (BotoCoreError, ClientError):
        return {}  # their sizes are not worth the rest of what is known
    return {each["VolumeId"]: each["Size"] for each in said}


def _bytes(count: int) -> tuple[Amount, ...]:
    return (Amount(what="bytes", count=count),)


def _told(contents: str, why: str) -> str:
    return f"{contents}; {why}" if why else "nothing in it"


def _gone(kind: str, found: Resource) -> Holding:
    return holding(kind, found, Fate.GONE, "it is gone already: deleted outside Terraform")
