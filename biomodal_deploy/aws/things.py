"""Resources of a destroy plan, as far as a ledger is about them.

Names of attributes are those of the AWS provider, 5 and 6: the upstream module is free to use
either.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Thing(BaseModel):
    """One resource of the state.

    Attributes:
        address: Where Terraform knows it.
        gone: Whether it was deleted outside Terraform.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    address: str | None
    gone: bool = False

    @property
    def key(self) -> str:
        """What AWS tells it apart by."""
        found = self.model_dump()
        named = (found.get(each) for each in ("arn", "id", "allocation_id", "name"))
        return next((str(each) for each in named if each), "")


class Bucket(Thing):
    """An S3 bucket; one without an address existed before, and a destroy does not touch it."""

    name: str = Field(validation_alias="bucket")
    # What is not plainly false counts as set: a hidden value is read with care.
    force_destroy: object = None
    object_lock_enabled: bool | None = None

    @property
    def is_emptied(self) -> bool:
        """Whether it is deleted with everything in it."""
        return self.force_destroy not in (False, None)


class Repository(Thing):
    """An ECR repository."""

    name: str
    force_delete: object = None

    @property
    def is_emptied(self) -> bool:
        """Whether it is deleted with everything in it."""
        return self.force_delete not in (False, None)


class Queue(Thing):
    """A Batch job queue."""

    name: str
    arn: str


class ComputeEnvironment(Thing):
    """A Batch compute environment; provider 6 calls its name `name`."""

    arn: str

    @property
    def name(self) -> str:
        """Its name."""
        return self.arn.rpartition("/")[2]


class Disk(BaseModel):
    """A volume of a VM's."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    volume_id: str
    delete_on_termination: bool | None = None


class Vm(Thing):
    """An EC2 instance."""

    id: str
    root_block_device: tuple[Disk, ...] = ()
    ebs_block_device: tuple[Disk, ...] = ()
    tags_all: dict[str, str] | None = None

    @property
    def disks(self) -> tuple[Disk, ...]:
        """Its volumes, as far as Terraform made them."""
        return (*self.root_block_device, *self.ebs_block_device)


class Volume(Thing):
    """An EBS volume of its own."""

    id: str


class Address(Thing):
    """An elastic IP address."""

    allocation_id: str
    public_ip: str | None = None


class Named(Thing):
    """A thing that its name is enough for: a log group, a key pair."""

    name: str


class KeyPair(Thing):
    """An EC2 key pair."""

    name: str = Field(validation_alias="key_name")


class Identified(Thing):
    """A thing with an id and a name: a launch template, a security group."""

    id: str
    name: str = ""
