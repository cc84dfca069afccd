"""Policies: the fewest statements that say the needs, the published one, and that of a state."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from pydantic import JsonValue

from biomodal_deploy.config.contract.aws import job_queue_name
from biomodal_deploy.errors import UsageError
from biomodal_deploy.iam import Place
from biomodal_deploy.iam.catalog import Condition
from biomodal_deploy.iam.language import Statement, allow, document_of
from biomodal_deploy.iam.needs import Need

MANAGED_LIMIT: Final = 6144
"""Characters of a managed policy without white space (IAM user guide, "IAM and STS quotas")."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A policy document with its name."""

    name: str
    statements: tuple[Statement, ...]

    @property
    def size(self) -> int:
        """Its size as IAM counts it."""
        return size(self.as_json())

    def as_json(self) -> dict[str, JsonValue]:
        """Return the document."""
        return document_of(self.statements)


def size(document: Mapping[str, JsonValue]) -> int:
    """Return how many characters IAM counts for a document."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return sum(not mark.isspace() for mark in text)


def policies(needs: Iterable[Need], name: str) -> tuple[Policy, ...]:
    """Return policies that allow what is needed and nothing else.

    As few as their sizes allow: IAM attaches ten to a role, and others of the role's count too.

    Args:
        name: Name of the one policy; where there are more, each adds its number to it.

    Raises:
        UsageError: One statement alone is too long for IAM.
    """
    parts = _packed(statements(needs))
    if len(parts) == 1:
        return (Policy(name=name, statements=parts[0]),)
    return tuple(
        Policy(name=f"{name}-{number}", statements=part)
        for number, part in enumerate(parts, start=1)
    )


def statements(needs: Iterable[Need]) -> tuple[Statement, ...]:
    """Return the fewest statements for needs, services and statements in a stable order."""
    wanted: dict[tuple[str, str], set[str]] = {}
    conditions: dict[str, Condition] = {}
    for need in needs:
        key = json.dumps(need.condition, sort_keys=True)
        conditions[key] = need.condition
        wanted.setdefault((need.action, key), set()).update(need.resources)
    merged: dict[tuple[str, tuple[str, ...], str], list[str]] = {}
    for (action, key), resources in wanted.items():
        group = (action.partition(":")[0], tuple(sorted(resources)), key)
        merged.setdefault(group, []).append(action)
    ordered = sorted(
        (service, tuple(sorted(actions)), on, key) for (service, on, key), actions in merged.items()
    )
    named: list[Statement] = []
    taken: dict[str, int] = {}
    for _, actions, on, key in ordered:
        sid = _sid(actions, on)
        taken[sid] = taken.get(sid, 0) + 1
        if taken[sid] > 1:
            sid += str(taken[sid])
        named.append(allow(sid, actions, on, conditions[key]))
    return tuple(named)


def _sid(actions: Sequence[str], resources: Sequence[str]) -> str:
    """Return `Ec2RunInstances`, `S3Bucket` or `Ec2Read`: what a reader looks for."""
    service, _, first = actions[0].partition(":")
    if len(actions) == 1:
        return f"{service.title()}{first}"
    if tuple(resources) == ("*",):
        return f"{service.title()}Read"
    kinds = {re.split("[/:]", resource.split(":", 5)[5])[0] for resource in resources}
    [kind, *others] = sorted(kinds)
    word = "".join(part.title() for part in kind.split("-")) if service != "s3" else "Bucket"
    return f"{service.title()}{word}" if not others else f"{service.title()}Several"


def _packed(found: Sequence[Statement]) -> list[tuple[Statement, ...]]:
    """Return statements in groups that fit a policy each; the largest find their place first."""
    groups: list[list[Statement]] = []
    for statement in sorted(found, key=_size, reverse=True):
        if _size(statement) > MANAGED_LIMIT:
            raise UsageError(
                f"one statement of its policy is longer than the {MANAGED_LIMIT} characters that "
                "IAM takes",
                field=statement.sid,
                fix="deploy fewer things with one stack",
            )
        for group in groups:
            if _size(*group, statement) <= MANAGED_LIMIT:
                group.append(statement)
                break
        else:
            groups.append([statement])
    in_order = [tuple(each for each in found if each in group) for group in groups]
    return sorted(in_order, key=lambda group: found.index(group[0]))


def _size(*found: Statement) -> int:
    return size(document_of(found))


# Ids that AWS assigns when Terraform creates the thing: no policy can name them before. And a key
# and a parameter that nothing in the stack has.
_UNKNOWABLE: Final = (
    "AllocationId",
    "ImageId",
    "InstanceId",
    "KeyId",
    "LaunchTemplateId",
    "NetworkInterfaceId",
    "ParameterNameWithoutLeadingSlash",
    "SecurityGroupId",
)
_PLACEHOLDER: Final = re.compile(r"\$\{(\w+)\}")


def documented_policy(
    place: Place, *, vm_name: str, subnet_id: str, bucket: str
) -> dict[str, JsonValue]:
    """Return the published policy for a stack, word for word but for its placeholders.

    Document section "Required IAM Permissions for Terraform Stack".

    Args:
        place: Region and account; the partition stays `aws`, as published.
    """
    values = dict.fromkeys(_UNKNOWABLE, "*") | {
        "Account": place.account,
        "BucketName": bucket,
        "ComputeEnvironmentName": vm_name,
        "InstanceProfileNameWithPath": vm_name,
        "JobQueueName": job_queue_name(vm_name),
        "KeyPairName": vm_name,
        "Region": place.region,
        "RoleNameWithPath": vm_name,
        "SubnetId": subnet_id,
    }
    text = _published()
    rendered: dict[str, JsonValue] = json.loads(
        _PLACEHOLDER.sub(lambda found: values[found[1]], text)
    )
    return rendered


def _published() -> str:
    path = files("biomodal_deploy.iam") / "data" / "documented_deployer.json"
    return path.read_text(encoding="utf-8")


_ARN: Final = re.compile(r"arn:[^:]+:kms:[^:]+:[0-9]+:(?P<resource>.+)")


def state_policy(
    place: Place,
    bucket: str,
    keys: Sequence[str],
    kms_key_id: str | None = None,
    *,
    writes: bool = True,
) -> dict[str, JsonValue]:
    """Return the least policy of who plans and applies against a state in S3.

    Source: Terraform, "Backend Type: s3", section "Permissions Required", and what Terraform was
    seen to ask for (tests/engine/test_state_bucket.py).

    Args:
        place: Where the bucket is; its account is the KMS key's where that is no ARN.
        keys: The objects that hold the states.
        kms_key_id: The key that they are encrypted with; None for Amazon S3's own.
        writes: Whether it is for who applies; a plan takes the lock and leaves the state alone.
    """
    arn = f"arn:{place.partition}:s3:::{bucket}"
    locks = [f"{key}.tflock" for key in keys]
    reads, writes_too = ["s3:GetObject"], ["s3:GetObject", "s3:PutObject"]
    states = ("ReadAndWriteState", writes_too) if writes else ("ReadState", reads)
    statements = [
        # S3 tells "not there yet" from "forbidden" only to who may list what is asked for.
        allow(
            "FindState", ["s3:ListBucket"], [arn], {"StringEquals": {"s3:prefix": [*keys, *locks]}}
        ),
        allow(*states, _objects(arn, keys)),
        allow("TakeAndReleaseLock", [*writes_too, "s3:DeleteObject"], _objects(arn, locks)),
    ]
    if kms_key_id:
        statements.append(_with_key(place, kms_key_id))
    return document_of(statements)


def _objects(arn: str, keys: Sequence[str]) -> list[str]:
    # A key may hold a star, which in an ARN would stand for every other key.
    return [f"{arn}/{key.replace('*', '${*}')}" for key in keys]


def _with_key(place: Place, key: str) -> Statement:
    found = _ARN.fullmatch(key)
    resource = found["resource"] if found else key if key.startswith("alias/") else f"key/{key}"
    through = {"StringEquals": {"kms:ViaService": place.principals(f"s3.{place.region}")}}
    if resource.startswith("alias/"):
        # IAM knows keys, not aliases: any key, as long as it has this one.
        through["ForAnyValue:StringEquals"] = {"kms:ResourceAliases": (resource,)}
        resource = "key/*"
    here = f"arn:{place.partition}:kms:{place.region}:{place.account}"
    prefix = key.rpartition(":")[0] if found else here
    actions = ["kms:Decrypt", "kms:GenerateDataKey"]
    return allow("UseKeyThroughS3", actions, [f"{prefix}:{resource}"], through)
