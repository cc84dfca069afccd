"""Buckets, repositories and log groups before a destroy: what is in them, what becomes of it."""

from __future__ import annotations

from botocore.exceptions import ClientError

from biomodal_deploy.aws import commands
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.errors import code_of
from biomodal_deploy.aws.ledger.counting import Patience, count_images, find_log_group
from biomodal_deploy.aws.ledger.model import Amount, Fate, Holding
from biomodal_deploy.aws.ledger.objects import Contents, count_bucket
from biomodal_deploy.aws.ledger.target import BUCKET, FORCE, REPOSITORY, Target
from biomodal_deploy.aws.resources import Bucket, LogGroup, Repository
from biomodal_deploy.text import sized


def bucket(target: Target, found: Bucket, clients: Clients, patience: Patience) -> list[Holding]:
    """Return what a bucket holds."""
    try:
        contents = count_bucket(clients, found.name, patience)
    except ClientError as error:
        if code_of(error) not in ("NoSuchBucket", "404"):
            raise
        return [_gone("bucket", found.name, found.address)]
    fate, why, fixes = _bucket_fate(target, found, contents, clients.region)
    return [
        Holding(
            kind="bucket",
            name=found.name,
            address=found.address,
            fate=fate,
            line=_told(contents.words(), why),
            amounts=contents.amounts(),
            fixes=fixes,
        )
    ]


def _bucket_fate(
    target: Target, found: Bucket, contents: Contents, region: str
) -> tuple[Fate, str, tuple[str, ...]]:
    if found.address is None:
        return Fate.STAYS, "Terraform does not manage it, and does not touch it", ()
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


def repository(
    target: Target, found: Repository, clients: Clients, patience: Patience
) -> list[Holding]:
    """Return what a repository holds."""
    images = count_images(clients, found.name, patience)
    if images is None:
        return [_gone("repository", found.name, found.address)]
    fate, why, fixes = _repository_fate(target, found, images.count, clients.region)
    return [
        Holding(
            kind="repository",
            name=found.name,
            address=found.address,
            fate=fate,
            line=_told(images.words(), why),
            amounts=images.amounts(),
            fixes=fixes,
        )
    ]


def _repository_fate(
    target: Target, found: Repository, images: int, region: str
) -> tuple[Fate, str, tuple[str, ...]]:
    if images == 0:
        return Fate.EMPTY, "", ()
    forget = target.kept_by(REPOSITORY, found.name, found.address or "")
    keep = f"to keep it: {forget}, and plan again"
    if found.is_emptied:
        return Fate.LOST, "force_delete is on: all of them are deleted", (keep,)
    lose = f"to lose them: {commands.remove_repository(found.name, region)}, and plan again"
    line = "ECR deletes no repository that holds images, and force_delete is off"
    return Fate.STOPS, line, (keep, lose)


def log_group(found: LogGroup, clients: Clients) -> list[Holding]:
    """Return what a log group holds."""
    group = find_log_group(clients, found.name)
    if group is None:
        return [_gone("log-group", found.name, found.address)]
    return [
        Holding(
            kind="log-group",
            name=found.name,
            address=found.address,
            fate=Fate.LOST if group.bytes else Fate.EMPTY,
            line=f"{sized(group.bytes)} of logs; they go with it"
            if group.bytes
            # CloudWatch counts now and then only, so a group that seems empty need not be.
            else "no logs that CloudWatch has counted yet; what there is goes with it",
            amounts=(Amount(what="bytes", count=group.bytes),),
        )
    ]


def _told(contents: str, why: str) -> str:
    return f"{contents}; {why}" if why else "nothing in it"


def _gone(kind: str, name: str, address: str | None) -> Holding:
    return Holding(
        kind=kind,
        name=name,
        address=address,
        fate=Fate.GONE,
        line="it is gone already: deleted outside Terraform",
    )
