"""Which bucket is meant: what the stacks' backends name, or what a person says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from biomodal_deploy.aws.state_writes import StateWrite
from biomodal_deploy.config.backends import (
    PartialBackend,
    S3Backend,
    kms_key_problem,
    new_bucket_name_problem,
)
from biomodal_deploy.config.settings import StackSettings
from biomodal_deploy.config.tfvars.files import read_file
from biomodal_deploy.errors import UsageError
from biomodal_deploy.workflow.location import Location, choose

_BACKEND: Final = '"backend": {"kind": "s3", "bucket": "...", "region": "..."}'


@dataclass(frozen=True, kw_only=True)
class BucketOptions:
    """What a person said of the bucket; what is None comes from the stacks' backends.

    Attributes:
        stack: The stack whose state it is for; every one that names the bucket where None.
    """

    stack: str | None = None
    bucket: str | None = None
    region: str | None = None
    key: str | None = None
    kms_key_id: str | None = None
    keep_days: int | None = None
    tags: Mapping[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The bucket that is meant.

    Attributes:
        kms_key_id: The KMS key that it encrypts with, if one.
        writes: How the backends write states into it.
    """

    bucket: str
    region: str
    keys: Mapping[str, str]
    kms_key_id: str | None
    writes: tuple[StateWrite, ...] = (StateWrite(),)


@dataclass(frozen=True)
class NamedBucket:
    """What a stack's backend says of its bucket."""

    bucket: str | None
    region: str | None
    key: str
    write: StateWrite


def wanted_bucket(location: Location, options: BucketOptions) -> Wanted:
    """Return the bucket that is meant.

    Raises:
        UsageError: No bucket is named, several are, or what is said of it does not fit.
    """
    named = _named(location, options)
    bucket = _one("bucket", options.bucket, [each.bucket for each in named.values()])
    if bucket is None:
        raise UsageError(
            "No stack keeps its state in a bucket"
            if options.stack is None
            else "Its state is not in a bucket",
            field="cdktf.json: backend" if options.stack is None else f"backend of {options.stack}",
            fix=f"set {_BACKEND} there, or give --bucket and --region",
        )
    region = _one("region", options.region, [each.region for each in named.values()])
    if region is None:
        raise UsageError("The bucket's region is missing", field="--region", fix="give it")
    if options.region and named and any(each.region != region for each in named.values()):
        theirs = next(each.region for each in named.values())
        raise UsageError(
            f"{next(iter(named))} looks for the bucket in {theirs}",
            field="--region",
            value=region,
            fix="leave it out, or correct the backend in cdktf.json",
        )
    writes = dict.fromkeys(each.write for each in named.values())
    keys = [each.kms_key_id for each in writes]
    kms_key_id = _one("kms_key_id", options.kms_key_id, keys)
    for field, value, problem in (
        (
            "--bucket",
            bucket,
            None if named and not options.bucket else new_bucket_name_problem(bucket),
        ),
        ("--kms-key-id", kms_key_id, kms_key_id and kms_key_problem(kms_key_id)),
    ):
        if problem:
            raise UsageError(problem, field=field, value=value, fix="choose another one")
    if options.kms_key_id or not writes:
        writes = {StateWrite(kms_key_id=options.kms_key_id): None}
    return Wanted(
        bucket=bucket,
        region=region,
        keys=_keys(location, options, named),
        kms_key_id=kms_key_id,
        writes=tuple(writes),
    )


def _keys(
    location: Location, options: BucketOptions, named: Mapping[str, NamedBucket]
) -> dict[str, str]:
    found = {name: options.key or each.key for name, each in named.items()}
    if not found:
        # The bucket comes first, and the settings name it later.
        names = [options.stack] if options.stack else _users(location)
        found = {name: options.key or f"{name}/terraform.tfstate" for name in names}
    if not found and options.key:
        found = {"": options.key}
    for name, key in found.items() or [("", "")]:
        if not key:
            raise UsageError(
                "The object that holds the state is not known",
                field=f"backend of {name}" if name else "--key",
                fix="give --key, such as NAME/terraform.tfstate",
            )
    return found


def _users(location: Location) -> list[str]:
    return [name for name, each in location.stacks.items() if each.state_bucket is None]


def _named(location: Location, options: BucketOptions) -> dict[str, NamedBucket]:
    """Return what the backends say, of the stack that is meant or of all of them."""
    known = location.stacks
    names = [choose(options.stack, list(known))] if options.stack else _users(location)
    found = {
        name: each for name in names if (each := bucket_of_backend(location, name, known[name]))
    }
    if options.bucket:
        found = {name: each for name, each in found.items() if each.bucket == options.bucket}
    return found


def bucket_of_backend(location: Location, name: str, settings: StackSettings) -> NamedBucket | None:
    """Return what a stack's backend says of its bucket; None for every other backend."""
    backend = settings.state_backend
    if isinstance(backend, S3Backend):
        write = StateWrite(kms_key_id=backend.kms_key_id)
        return NamedBucket(backend.bucket, backend.region, backend.key_of(name), write)
    if not isinstance(backend, PartialBackend) or backend.type != "s3":
        return None
    written: dict[str, object] = {}
    for file in backend.config_files:
        attributes = read_file(location.project_dir / file).attributes
        written |= {name: each.value for name, each in attributes.items()}

    def text(setting: str) -> str | None:
        value = written.get(setting)
        return value if isinstance(value, str) else None

    key_id = text("kms_key_id")
    write = StateWrite(kms_key_id=key_id, aes256=bool(written.get("encrypt")) and not key_id)
    return NamedBucket(text("bucket"), text("region"), text("key") or "", write)


def _one(what: str, option: str | None, given: Sequence[str | None]) -> str | None:
    """Return the option, or the one value that all agree on."""
    if option:
        return option
    distinct = sorted({each for each in given if each})
    if len(distinct) > 1:
        raise UsageError(
            f"The stacks name several: {', '.join(distinct)}",
            field=f"backend.{what}",
            fix="name one stack with --stack",
        )
    return distinct[0] if distinct else None
