"""Changes that AWS always refuses, seen before the apply that would stop halfway at them.

Some can be read from the plan alone: `impossible`. Others only the account knows, such as a name
that is taken; `MET_BY` says at which kinds of resource an apply meets what a check of the account
found.

Sources: EC2 API reference, ModifyVolume ("must be greater than or equal to the existing size of
the volume"); EC2 user guide, "Create a key pair" (RSA and ED25519); RFC 4253 section 6.6 and
RFC 8709 (what a public key holds); Amazon S3 user guide, "General purpose bucket naming rules".
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from biomodal_deploy.config.contract.aws import bucket_name_problem
from biomodal_deploy.errors import UsageError
from biomodal_deploy.plan.changes import Action, ResourceChange
from biomodal_deploy.plan.model import Plan
from biomodal_deploy.plan.redactor import HIDDEN_TEXT, UNKNOWN_TEXT

VOLUME_SIZE: Final = "volume-size"
PUBLIC_KEY: Final = "public-key"
BUCKET_NAME: Final = "bucket-name"
SAME_NAME: Final = "same-name"
READ_FROM_PLAN: Final = (VOLUME_SIZE, PUBLIC_KEY, BUCKET_NAME, SAME_NAME)

MET_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "bucket": ("aws_s3_bucket",),
    "key-pair": ("aws_key_pair",),
    "repository": ("aws_ecr_repository",),
    "role": ("aws_iam_role",),
    "instance-profile": ("aws_iam_instance_profile",),
    "security-group": ("aws_security_group",),
    "launch-template": ("aws_launch_template",),
    "compute-environment": ("aws_batch_compute_environment",),
    "job-queue": ("aws_batch_job_queue",),
    "instance-type": ("aws_instance",),
    "elastic-ips": ("aws_eip",),
    "on-demand-vcpus": ("aws_instance",),
    "batch-environments": ("aws_batch_compute_environment",),
    "batch-queues": ("aws_batch_job_queue",),
}
"""Checks of the account, and the kinds of resource whose creation meets what failed there."""

# What has to be unique, and which argument says it; provider 6 has renamed one.
_UNIQUE: Final = {
    "aws_batch_compute_environment": ("compute_environment_name", "name"),
    "aws_batch_job_queue": ("name",),
    "aws_ecr_repository": ("name",),
    "aws_iam_instance_profile": ("name",),
    "aws_iam_role": ("name",),
    "aws_key_pair": ("key_name",),
    "aws_launch_template": ("name",),
    "aws_s3_bucket": ("bucket",),
}
_SIZES: Final = re.compile(r"((root|ebs)_block_device\[\d+\]\.volume_size|size)")
_VOLUMES: Final = ("aws_instance", "aws_ebs_volume")
_SHORTEST_RSA: Final = 1024
_ED25519_BYTES: Final = 32


@dataclass(frozen=True)
class Impossible:
    """A change that AWS refuses whenever it is applied.

    Attributes:
        check: The name by which it can be allowed all the same.
    """

    check: str
    address: str
    line: str
    fix: str


def impossible(plan: Plan) -> Iterator[Impossible]:
    """Yield the changes that AWS always refuses, as far as the plan alone shows them."""
    for change in plan.changes:
        if not change.managed:
            continue
        yield from _shrinks(change)
        if change.action is Action.CREATE or change.action.replaces:
            yield from _broken_key(change)
            yield from _reserved_name(change)
        if change.action is Action.REPLACE_CREATE_FIRST:
            yield from _same_name(change)


def met_at(plan: Plan, check: str) -> ResourceChange | None:
    """Return the first resource of a plan that meets what a check of the account found."""
    for change in plan.changes:
        if not change.managed or change.type not in MET_BY.get(check, ()):
            continue
        if change.action is Action.CREATE or change.action.replaces or _new_type(change):
            return change
    return None


def check_allowed(names: Collection[str]) -> frozenset[str]:
    """Return the checks that are allowed."""
    known = (*READ_FROM_PLAN, *MET_BY)
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            raise UsageError(
                "no such check",
                field="--allow",
                value=name,
                fix=f"did you mean {close[0]!r}?" if close else f"one of {', '.join(known)}",
            )
    return frozenset(names)


def public_key_problem(key: str) -> str | None:
    """Return why EC2 would not take an SSH public key, or None.

    Its own length fields are followed to the end: a key that was cut off when it was copied looks
    whole, and fails only once the apply has begun.
    """
    words = key.split()
    if len(words) < 2:
        return "is not an SSH public key: a type and a key are expected"
    kind, text = words[0], words[1]
    if kind not in ("ssh-ed25519", "ssh-rsa"):
        return f"is of type {kind}, and EC2 takes ssh-ed25519 and ssh-rsa"
    fields = _fields(text)
    if fields is None:
        return "is cut off: its base64 text ends before the key does"
    if not fields or fields[0] != kind.encode():
        inside = fields[0].decode(errors="replace") if fields else "nothing"
        return f"says {kind}, and holds {inside}"
    if kind == "ssh-ed25519":
        whole = len(fields) == 2 and len(fields[1]) == _ED25519_BYTES
        return None if whole else "is not a whole ed25519 key of 32 bytes"
    if len(fields) != 3:
        return "is not a whole RSA key"
    bits = int.from_bytes(fields[2]).bit_length()
    return f"has {bits} bits: EC2 takes RSA keys of 1024 and more" if bits < _SHORTEST_RSA else None


def _fields(text: str) -> list[bytes] | None:
    """Return what a key holds; None where it is not base64, or ends within a field."""
    try:
        blob = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    fields, at = [], 0
    while at < len(blob):
        length = int.from_bytes(blob[at : at + 4])
        end = at + 4 + length
        if at + 4 > len(blob) or end > len(blob):
            return None
        fields.append(blob[at + 4 : end])
        at = end
    return fields


def _shrinks(change: ResourceChange) -> Iterator[Impossible]:
    if change.action is not Action.UPDATE or change.type not in _VOLUMES:
        return
    for each in change.updates:
        old, new = each.before, each.after
        if not (_SIZES.fullmatch(each.path) and _is_number(old) and _is_number(new)):
            continue
        if float(str(new)) < float(str(old)):
            yield Impossible(
                VOLUME_SIZE,
                change.address,
                f"{each.path} would go from {old} to {new} GiB, and no EBS volume can shrink",
                f"set vm_volume_gib = {old} in terraform.tfvars"
                if change.type == "aws_instance"
                else f"set its size to {old} in the configuration",
            )


def _broken_key(change: ResourceChange) -> Iterator[Impossible]:
    key = _text(change, "public_key") if change.type == "aws_key_pair" else None
    if key and (problem := public_key_problem(key)):
        yield Impossible(
            PUBLIC_KEY,
            change.address,
            f"the public key {problem}",
            "copy the whole line of the .pub file, or make a key with biomodal-aws keygen",
        )


def _reserved_name(change: ResourceChange) -> Iterator[Impossible]:
    name = _text(change, "bucket") if change.type == "aws_s3_bucket" else None
    if name and (problem := bucket_name_problem(name)):
        yield Impossible(
            BUCKET_NAME, change.address, f"bucket {name!r}: {problem}", "choose another name"
        )


def _same_name(change: ResourceChange) -> Iterator[Impossible]:
    """Yield a successor that is made first, under the name that its predecessor still has."""
    for argument in _UNIQUE.get(change.type, ()):
        name = _text(change, argument)
        if not name or (change.before or {}).get(argument) != name:
            continue
        yield Impossible(
            SAME_NAME,
            change.address,
            f"its successor is created first and is called {name} too, and that name is taken"
            " until the old one is deleted",
            "change what forces the replacement back, or change the name as well; a tainted one:"
            f" terraform untaint '{change.address}'",
        )


def _new_type(change: ResourceChange) -> bool:
    return change.action is Action.UPDATE and any(
        each.path == "instance_type" for each in change.updates
    )


def _text(change: ResourceChange, argument: str) -> str | None:
    value = (change.after or {}).get(argument)
    known = isinstance(value, str) and HIDDEN_TEXT not in value and UNKNOWN_TEXT not in value
    return value if known and isinstance(value, str) else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
