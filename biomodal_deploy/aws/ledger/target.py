"""What a destroy plan is about, as AWS knows it: ids and names from the state as it was before.

The sealed plan has all attributes of what goes, so neither the state nor Terraform is needed, and
after the destroy the same names are still known. Secrets in it are hidden already.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import ValidationError

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.ledger.counting import Patience
from biomodal_deploy.aws.resources import (
    Bucket,
    ComputeEnvironment,
    ElasticIp,
    JobQueue,
    KeyPair,
    LaunchTemplate,
    LogGroup,
    Repository,
    Resource,
    SecurityGroup,
    Vm,
    Volume,
)
from biomodal_deploy.plan import Plan, ResourceChange
from biomodal_deploy.plan.redactor import hides
from biomodal_deploy.plan.sealed import Facts

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import FilterTypeDef, TagTypeDef

_Resource = TypeVar("_Resource", bound=Resource)


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a destroy plan is about.

    Attributes:
        region: Its region; None where the plan does not say.
        directory: Terraform's working directory, relative to the project.
        settings_of: Of each resource that is a setting of a bucket or a repository: the type and
            the name of that, and its own address.
        vm_name: The stack's own name in AWS, part of most others.
        tag: The tag that everything carries; other stacks may carry it too.
        may_force: Whether a variable decides that the bucket goes with everything in it.
    """

    stack: str
    region: str | None
    directory: str
    buckets: tuple[Bucket, ...] = ()
    repositories: tuple[Repository, ...] = ()
    queues: tuple[JobQueue, ...] = ()
    environments: tuple[ComputeEnvironment, ...] = ()
    machines: tuple[Vm, ...] = ()
    volumes: tuple[Volume, ...] = ()
    public_addresses: tuple[ElasticIp, ...] = ()
    log_groups: tuple[LogGroup, ...] = ()
    templates: tuple[LaunchTemplate, ...] = ()
    key_pairs: tuple[KeyPair, ...] = ()
    security_groups: tuple[SecurityGroup, ...] = ()
    settings_of: tuple[tuple[str, str, str], ...] = ()
    vm_name: str | None = None
    tag: tuple[str, str] | None = None
    may_force: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether the state holds nothing that a ledger is about."""
        return not any(getattr(self, field) for field in _KINDS)

    @property
    def is_nameless(self) -> bool:
        """Whether there is not even a name or a tag to look for."""
        return self.is_empty and self.vm_name is None and self.tag is None

    @property
    def volume_ids(self) -> tuple[str, ...]:
        """Every volume that Terraform knows of."""
        disks = (disk.volume_id for machine in self.machines for disk in machine.disks)
        return tuple(dict.fromkeys((*disks, *(each.id for each in self.volumes))))

    def with_earlier(self, earlier: Target) -> Target:
        """Add what an earlier destroy was about that did not come to its end.

        The plan that finishes it knows only the rest; what the first one made go, snapshots of
        its disks for one, is to be looked for all the same.
        """
        both: dict[str, Any] = {
            field: _joined(getattr(self, field), getattr(earlier, field)) for field in _KINDS
        }
        vm_name, tag = self.vm_name or earlier.vm_name, self.tag or earlier.tag
        return replace(self, **both, vm_name=vm_name, tag=tag)

    def kept_by(self, kind: str, name: str, address: str) -> str:
        """Return the command that makes Terraform forget a thing and all its settings."""
        # A bucket and a repository may have one name.
        also = sorted(at for *of, at in self.settings_of if of == [kind, name])
        return shlex.join(["terraform", f"-chdir={self.directory}", "state", "rm", address, *also])


def _joined(ours: tuple[_Resource, ...], earlier: tuple[_Resource, ...]) -> tuple[_Resource, ...]:
    known = {each.key for each in ours}
    return (*ours, *(each for each in earlier if each.key not in known))


BUCKET: Final = "aws_s3_bucket"
REPOSITORY: Final = "aws_ecr_repository"
FORCE: Final = "bucket_force_destroy"
# What of a target is a kind of resource: its type in Terraform, and how it is read.
_KINDS: Final[dict[str, tuple[str, type[Resource]]]] = {
    "buckets": (BUCKET, Bucket),
    "repositories": (REPOSITORY, Repository),
    "queues": ("aws_batch_job_queue", JobQueue),
    "environments": ("aws_batch_compute_environment", ComputeEnvironment),
    "machines": ("aws_instance", Vm),
    "volumes": ("aws_ebs_volume", Volume),
    "public_addresses": ("aws_eip", ElasticIp),
    "log_groups": ("aws_cloudwatch_log_group", LogGroup),
    "templates": ("aws_launch_template", LaunchTemplate),
    "key_pairs": ("aws_key_pair", KeyPair),
    "security_groups": ("aws_security_group", SecurityGroup),
}


@dataclass(frozen=True)
class Search:
    """One look at an account, for what a stack holds or what is left of it."""

    target: Target
    clients: Clients
    patience: Patience

    @property
    def region(self) -> str:
        """Where it is looked."""
        return self.clients.region

    def tagged(self) -> list[FilterTypeDef]:
        """Return the filter for the stack's tag; empty where it is not known."""
        if self.target.tag is None:
            return []
        key, value = self.target.tag
        return [{"Name": f"tag:{key}", "Values": [value]}]

    def is_named(self, tags: Sequence[TagTypeDef]) -> bool:
        """Say whether tags name this very stack, and not only something that it shares."""
        # The whole name: `lab-2` may be another stack than `lab`.
        name = next((each.get("Value") for each in tags if each.get("Key") == "Name"), None)
        return name is not None and name == self.target.vm_name


def target_of(facts: Facts, plan: Plan) -> Target:
    """Return what a sealed destroy plan is about."""
    variables = {each.name: each.value for each in plan.variables if not each.sensitive}
    vm_name = _text(variables.get("vm_name")) or _output(plan, "vm_name")
    key, value = _text(variables.get("tag_key")), variables.get("tag_value")
    found: dict[str, Any] = {field: tuple(_things(plan, *kind)) for field, kind in _KINDS.items()}
    found["buckets"] = _buckets(plan, found["buckets"])
    return Target(
        stack=facts.stack,
        region=facts.region_name,
        directory=facts.directory,
        **found,
        settings_of=tuple(_settings(plan)),
        vm_name=vm_name or _name_tag(found["machines"]),
        may_force=any(each.name == FORCE for each in plan.variables),
        tag=(key, value) if key and isinstance(value, str) and not hides(value) else None,
    )


def _buckets(plan: Plan, ours: tuple[Bucket, ...]) -> tuple[Bucket, ...]:
    name = (_output(plan, "bucket_url") or "").removeprefix("s3://").strip("/")
    if not name or name in {each.name for each in ours}:
        return ours
    return (*ours, Bucket(address=None, bucket=name))


def _things(plan: Plan, kind: str, model: type[_Resource]) -> Iterator[_Resource]:
    for change, gone in _lost(plan):
        if change.type == kind and change.before is not None:
            try:
                yield model.model_validate(
                    {**_known(change.before), "address": change.address, "gone": gone}
                )
            except ValidationError:
                # Half made, or of a provider nobody has seen: the plan shows it all the same.
                continue


def _lost(plan: Plan) -> Iterator[tuple[ResourceChange, bool]]:
    for change in plan.losses:
        if change.managed:
            yield change, False
    for change in plan.drift:
        if change.managed and change.before is not None and change.after is None:
            yield change, True


def _settings(plan: Plan) -> Iterator[tuple[str, str, str]]:
    for change, _ in _lost(plan):
        for kind, settings, named in (
            (BUCKET, "aws_s3_bucket_", "bucket"),
            (REPOSITORY, "aws_ecr_", "repository"),
        ):
            name = _text((change.before or {}).get(named))
            if name and change.type.startswith(settings) and change.type != kind:
                yield kind, name, change.address


def _known(before: dict[str, object]) -> dict[str, object]:
    """Return attributes without those that are hidden, also in part; a hidden flag stays."""
    return {
        key: value
        for key, value in before.items()
        if key in ("force_destroy", "force_delete") or not hides(value)
    }


def _output(plan: Plan, name: str) -> str | None:
    found = next((each for each in plan.output_changes if each.name == name), None)
    return _text(found.before) if found and not found.sensitive else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value and not hides(value) else None


def _name_tag(machines: tuple[Vm, ...]) -> str | None:
    return next((name for each in machines if (name := (each.tags_all or {}).get("Name"))), None)
