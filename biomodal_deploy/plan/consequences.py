"""What a plan loses, leaves or ends without deleting a resource that Terraform shows as deleted.

Sources: Amazon ECR user guide, "Lifecycle policies" (images go within 24 hours, those that exist
too); Amazon S3 user guide, "Managing your storage lifecycle" (rules apply to objects that exist)
and "Working with versioning-suspended buckets"; CloudWatch Logs user guide, "Change log data
retention"; AWS Batch API reference, UpdatePolicy (running jobs have 30 minutes by default) and
ComputeResourceUpdate (no lower number of desired vCPUs); EC2 user guide, "Run commands when you
launch an EC2 instance" (user data runs at the first boot).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeAlias

from biomodal_deploy.plan.changes import Action, ResourceChange
from biomodal_deploy.plan.model import Plan
from biomodal_deploy.text import counted

_Holders: TypeAlias = Sequence[ResourceChange]
"""The buckets and repositories that a plan changes: what policies and rules belong to."""

_BATCH_MINUTES: Final = 30
# Batch user guide, "Updating compute environments": these leave hosts and jobs alone.
_DESIRED: Final = "compute_resources[0].desired_vcpus"
_SCALING: Final = (_DESIRED, "compute_resources[0].max_vcpus", "compute_resources[0].min_vcpus")


@dataclass(frozen=True)
class Consequence:
    """One loss or remainder.

    Attributes:
        address: The resource whose change causes it.
        line: What happens, in one line.
    """

    address: str
    line: str


def consequences(plan: Plan, running: Mapping[str, int] | None = None) -> list[Consequence]:
    """Return what a plan loses or leaves besides what it deletes.

    Args:
        running: How many jobs are at work where it ends them, by address; see `ending_jobs`.
    """
    changes = plan.changes
    holders = [each for each in changes if each.type in ("aws_s3_bucket", "aws_ecr_repository")]
    found = [
        Consequence(change.address, line)
        for change in changes
        if change.managed and (lines := _KINDS.get(change.type))
        for line in lines(change, holders)
    ]
    for change, how in ending_jobs(plan):
        if count := (running or {}).get(change.address):
            found.append(Consequence(change.address, f"{counted(count, 'job')} at work: {how}"))
    return found


def ending_jobs(plan: Plan) -> list[tuple[ResourceChange, str]]:
    """Return the changes that end jobs which run, and what becomes of those."""
    found = []
    for change in plan.changes:
        if not change.managed:
            continue
        if change.type == "aws_batch_job_queue" and change.action.destroys:
            found.append((change, "they end with the queue"))
        elif change.type == "aws_batch_compute_environment" and change.action.destroys:
            found.append((change, "they end with the hosts of this environment"))
        elif (
            change.type == "aws_batch_compute_environment"
            and change.action is Action.UPDATE
            and any(_replaces_hosts(each.path) for each in change.updates)
        ):
            how = (
                f"the environment gets other hosts, AWS Batch ends after {_minutes(change)} minutes"
                " what still runs on the old ones, and the apply waits for that"
            )
            found.append((change, how))
    return found


def _replaces_hosts(path: str) -> bool:
    return path.startswith("compute_resources") and not path.startswith(_SCALING)


def _minutes(change: ResourceChange) -> object:
    policy = _first((change.after or {}).get("update_policy"))
    return policy.get("job_execution_timeout_minutes") or _BATCH_MINUTES


def _scaled_down(change: ResourceChange, _: _Holders) -> Iterator[str]:
    """Hosts that Batch started for jobs, and a configuration that wants fewer.

    The module's: it sets 0, and the plan finds what Batch has made of that meanwhile.
    """
    for each in change.updates if change.action is Action.UPDATE else ():
        before, after = each.before, each.after
        if each.path != _DESIRED or not (isinstance(before, int) and isinstance(after, int)):
            continue
        if after < before:
            yield (
                f"desired_vcpus {before} -> {after} while AWS Batch runs hosts for jobs: it refuses"
                " a lower number, and the apply fails; wait until the jobs have ended"
                " (biomodal-aws jobs), then plan again"
            )


def _images(change: ResourceChange, holders: _Holders) -> Iterator[str]:
    """Images that a new or stricter lifecycle policy deletes: those that exist before it too."""
    before, after = (
        _selections((each or {}).get("policy")) for each in (change.before, change.after)
    )
    repository = (change.after or {}).get("repository")
    if any(
        each.type == "aws_ecr_repository"
        and each.action is Action.CREATE
        and repository in (None, (each.after or {}).get("name"))
        for each in holders
    ):
        return
    for (status, kind, *tags), number in after.items():
        had = [before.get((each, kind, *tags)) for each in dict.fromkeys((status, "any"))]
        if any(each is not None and each <= number for each in had):
            continue
        which = {"untagged": " without a tag", "tagged": " with such a tag"}.get(status, "")
        when = (
            f"once they are {number} days old"
            if kind == "sinceImagePushed"
            else f"once there are more than {number}"
        )
        yield (
            f"images{which} that exist already are deleted within a day {when},"
            " also those that a pipeline pins by digest: tag what is to stay"
        )


def _selections(policy: object) -> dict[tuple[str, ...], int]:
    """Return from how many days or images on a lifecycle policy deletes, by its selection."""
    found: dict[tuple[str, ...], int] = {}
    with suppress(ValueError, KeyError, TypeError):
        for rule in json.loads(policy)["rules"] if isinstance(policy, str) else ():
            each = rule["selection"]
            tags = (*each.get("tagPrefixList", ()), *each.get("tagPatternList", ()))
            key = tuple(map(str, (each["tagStatus"], each["countType"], *tags)))
            number = int(each["countNumber"])
            found[key] = min(number, found.get(key, number))
    return found


def _objects(change: ResourceChange, holders: _Holders) -> Iterator[str]:
    """What lifecycle rules of a bucket start or stop deleting."""
    bucket = (change.after or change.before or {}).get("bucket")
    fates = {
        each.action
        for each in holders
        if each.type == "aws_s3_bucket"
        and bucket in ((each.after or each.before or {}).get(key) for key in ("bucket", "id"))
    }
    if Action.DELETE in fates or Action.CREATE in fates:
        return
    old, new = _rules(change.before), _rules(change.after)
    if old.former is not None and new.former is None:
        yield (
            "former versions of objects stay for ever and are billed: the rule that deletes them"
            " goes, and what versioning has kept does not"
        )
    if new.former is not None and (old.former is None or new.former < old.former):
        yield (
            f"former versions of objects that are older than {new.former} days are deleted, those"
            " that exist already too"
        )
    for prefix, days in new.current.items():
        if (had := old.current.get(prefix)) is None or days < had:
            yield (
                f"objects under {prefix or 'the whole bucket'} that are older than {days} days are"
                " deleted, those that exist already too"
            )
    for prefix, date in sorted(new.dated - old.dated):
        yield f"objects under {prefix or 'the whole bucket'} are deleted from {date} on"


@dataclass(frozen=True)
class _Expiry:
    """When objects go: days of current ones by prefix, dates, one number for former versions."""

    current: Mapping[str, int]
    dated: frozenset[tuple[str, str]]
    former: int | None


def _rules(configuration: Mapping[str, object] | None) -> _Expiry:
    current: dict[str, int] = {}
    dated: set[tuple[str, str]] = set()
    former: list[int] = []
    rules = (configuration or {}).get("rule")
    for rule in rules if isinstance(rules, list) else ():
        if not isinstance(rule, dict) or rule.get("status") != "Enabled":
            continue
        objects = _first(rule.get("filter"))
        named = objects.get("prefix") or _first(objects.get("and")).get("prefix")
        prefix = str(named or rule.get("prefix") or "")
        expiry = _first(rule.get("expiration"))
        days = expiry.get("days")
        if isinstance(days, int) and days > 0:
            current[prefix] = min(days, current.get(prefix, days))
        if date := expiry.get("date"):
            dated.add((prefix, str(date)))
        days = _first(rule.get("noncurrent_version_expiration")).get("noncurrent_days")
        if isinstance(days, int) and days > 0:
            former.append(days)
    return _Expiry(current, frozenset(dated), min(former, default=None))


def _logs(change: ResourceChange, _: _Holders) -> Iterator[str]:
    """Log events that a shorter retention deletes."""
    before, after = (
        (each or {}).get("retention_in_days") for each in (change.before, change.after)
    )
    if change.before is None or not isinstance(after, int) or after == 0:
        return  # 0 keeps them for ever
    if not isinstance(before, int) or before == 0 or after < before:
        yield f"log events that are older than {after} days are deleted"


def _machine(change: ResourceChange, _: _Holders) -> Iterator[str]:
    """What the start-up script set on a VM that exists, and no apply takes back."""
    if change.action is not Action.UPDATE:
        return
    for each in change.updates:
        if each.path == "metadata_options[0].http_tokens" and each.after == "required":
            yield (
                "the start-up script does not run again on a VM that exists: /var/run/docker.sock"
                " stays writable for everyone on it (mode 666) until the VM restarts"
            )
        if each.path == "instance_type":
            yield "the VM stops and starts: what runs on it ends, Nextflow with its jobs"


def _first(value: object) -> Mapping[str, object]:
    """Return a block that stands once, which is a list of one in a plan."""
    first = value[0] if isinstance(value, list) and value else value
    return first if isinstance(first, dict) else {}


_KINDS: Final = {
    "aws_batch_compute_environment": _scaled_down,
    "aws_cloudwatch_log_group": _logs,
    "aws_ecr_lifecycle_policy": _images,
    "aws_instance": _machine,
    "aws_s3_bucket_lifecycle_configuration": _objects,
}
