"""Resources as AWS and Terraform know them, from a state or from the plan that destroys them.

Names of attributes are those of the AWS provider, 5 and 6: the upstream module is free to use
either. The VM is looked up in EC2 here too: how it is, and what it has printed on its console.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError
from pydantic import BaseModel, Field

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.errors import code_of, or_none
from biomodal_deploy.config.contract.grammar import Arn, InstanceId, InstanceType, IpAddress, Name

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import InstanceTypeDef


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


INSTANCE_ENDED: Final = frozenset({"shutting-down", "terminated"})
"""EC2's words for a VM that is gone for good."""


def describe_instance(clients: Clients, instance_id: str) -> InstanceTypeDef | None:
    """Return what EC2 says of a VM; None where it has none of this id (any more)."""
    ask = partial(clients.ec2().describe_instances, InstanceIds=[instance_id])
    if (said := or_none(ask, "NotFound")) is None:
        return None
    found = [each for group in said["Reservations"] for each in group["Instances"]]
    return found[0] if found else None


def minutes_up(instance: InstanceTypeDef) -> float:
    """Return the minutes since a VM was started last."""
    return (datetime.now(UTC) - instance["LaunchTime"]).total_seconds() / 60


def console_of(clients: Clients, instance_id: str) -> str:
    """Return what a VM has printed on its console, at most the last 64 KB; empty for nothing.

    EC2 keeps it for VMs that are stopped too. On Nitro machines it is up to date, on older ones
    it is from shortly after the last start (EC2 user guide, "Instance console output").
    """
    ask = clients.ec2().get_console_output
    try:
        return ask(InstanceId=instance_id, Latest=True).get("Output", "")
    except ClientError as error:
        if code_of(error) not in ("UnsupportedOperation", "InvalidParameterCombination"):
            raise
        return ask(InstanceId=instance_id).get("Output", "")
