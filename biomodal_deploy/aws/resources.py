"""Resources as AWS and Terraform know them, from a state or from the plan that destroys them.

Names of attributes are those of the AWS provider, 5 and 6: the upstream module is free to use
either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import BaseModel, Field

from biomodal_deploy.config.contract.grammar import Arn, InstanceId, InstanceType, IpAddress, Name


class _Read(BaseModel, frozen=True):
    pass


class Resource(_Read):
    """One resource.

    Attributes:
        address: Where Terraform knows it, where that matters.
        gone: Whether it was deleted outside Terraform.
    """

    address: str | None = None
    gone: bool = False

    @property
    def key(self) -> str:
        """What AWS tells it apart by."""
        return self._first_of("arn", "id", "allocation_id", "name")

    @property
    def label(self) -> str:
        """What people call it."""
        return self._first_of("name", "id", "public_ip", "allocation_id")

    def _first_of(self, *names: str) -> str:
        found = self.model_dump()
        return next((str(found[each]) for each in names if found.get(each)), "")


class Bucket(Resource):
    """An S3 bucket; one without an address existed before, and a destroy does not touch it."""

    name: str = Field(validation_alias="bucket")
    # What is not plainly false counts as set: a hidden value is read with care.
    force_destroy: object = None
    object_lock_enabled: bool | None = None

    @property
    def is_emptied(self) -> bool:
        """Whether it is deleted with everything in it."""
        return self.force_destroy not in (False, None)


class Repository(Resource):
    """An ECR repository."""

    name: Name
    force_delete: object = None

    @property
    def is_emptied(self) -> bool:
        """Whether it is deleted with everything in it."""
        return self.force_delete not in (False, None)


class ComputeResources(_Read):
    """A compute environment's hosts: `SPOT` or `EC2`, that is On-Demand, and their types."""

    type: str = ""
    instance_role: Arn | None = None
    instance_type: tuple[str, ...] | None = None
    bid_percentage: int | None = None


class ComputeEnvironment(Resource):
    """A Batch compute environment; provider 6 calls its name `name`, so it is the ARN's."""

    arn: Arn
    compute_resources: tuple[ComputeResources, ...] = ()

    @property
    def name(self) -> str:
        """Its name."""
        return self.arn.rpartition("/")[2]

    @property
    def is_spot(self) -> bool:
        """Whether its hosts can be reclaimed at any time."""
        return any(each.type == "SPOT" for each in self.compute_resources)


class _Order(_Read):
    compute_environment: Arn


class _TimeLimit(_Read):
    reason: str | None = None


class JobQueue(Resource):
    """A Batch job queue."""

    arn: Arn
    name: Name
    compute_environments: tuple[Arn, ...] | None = None
    compute_environment_order: tuple[_Order, ...] | None = None
    job_state_time_limit_action: tuple[_TimeLimit, ...] | None = None

    @property
    def environment_arns(self) -> frozenset[str]:
        """The compute environments that it feeds."""
        ordered = (each.compute_environment for each in self.compute_environment_order or ())
        return frozenset((*(self.compute_environments or ()), *ordered))


class Disk(_Read):
    """A volume of a VM's."""

    volume_id: str


class Vm(Resource):
    """The orchestrator VM; one whose creation failed may have nothing but its id."""

    id: InstanceId
    arn: Arn | None = None
    instance_type: InstanceType = ""
    public_ip: IpAddress | None = None
    root_block_device: tuple[Disk, ...] = ()
    ebs_block_device: tuple[Disk, ...] = ()
    tags_all: dict[str, str] | None = None

    @property
    def disks(self) -> tuple[Disk, ...]:
        """Its volumes, as far as Terraform created them."""
        return (*self.root_block_device, *self.ebs_block_device)


class Volume(Resource):
    """An EBS volume of its own."""

    id: str


class ElasticIp(Resource):
    """An elastic IP address."""

    allocation_id: str
    public_ip: str | None = None


class LogGroup(Resource):
    """A CloudWatch log group."""

    name: Name


class KeyPair(Resource):
    """An EC2 key pair."""

    name: str = Field(validation_alias="key_name")


class LaunchTemplate(Resource):
    """The Batch hosts' launch template; user data is base64."""

    id: str = ""
    name: Name = ""
    user_data: str | None = None


class SecurityGroup(Resource):
    """An EC2 security group."""

    id: str
    name: Name = ""


class Role(Resource):
    """An IAM role."""

    arn: Arn
    name: Name
    assume_role_policy: str = ""


class InstanceProfile(Resource):
    """An IAM instance profile."""

    name: Name
    role: Name | None = None


# What AWS tells resources apart by; which of them the id is differs from type to type.
_IDS: Final = ("id", "name", "arn", "bucket", "key_name", "compute_environment_name")


def owned_by(state: Mapping[str, object]) -> frozenset[str]:
    """Return what a state holds as `TYPE:ID`, each resource under all of its ids.

    Args:
        state: What `terraform show -json` says of a state, or `terraform state pull`.
    """
    if "resources" in state:
        return frozenset(_pulled(state))
    values = state.get("values")
    root = values.get("root_module") if isinstance(values, Mapping) else None
    return frozenset(_ids(root)) if isinstance(root, Mapping) else frozenset()


def _pulled(state: Mapping[str, object]) -> Iterator[str]:
    for resource in _mappings(state.get("resources")):
        for instance in _mappings(resource.get("instances")):
            yield from _resource(resource, instance.get("attributes"))


def _ids(module: Mapping[str, object]) -> Iterator[str]:
    for resource in _mappings(module.get("resources")):
        yield from _resource(resource, resource.get("values"))
    for child in _mappings(module.get("child_modules")):
        yield from _ids(child)


def _resource(resource: Mapping[str, object], values: object) -> Iterator[str]:
    if resource.get("mode") == "managed" and isinstance(values, Mapping):
        for key in _IDS:
            if isinstance(value := values.get(key), str):
                yield f"{resource.get('type')}:{value}"


def _mappings(value: object) -> Iterator[Mapping[str, object]]:
    if isinstance(value, list):
        yield from (each for each in value if isinstance(each, Mapping))
