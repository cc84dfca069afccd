"""What the account is checked for: one stack's place, names and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from biomodal_deploy.config.contract import variables_of
from biomodal_deploy.config.contract.aws import (
    BATCH_VCPUS,
    HOST_SUFFIX,
    OWN_TAG,
    ROLE_LENGTH,
    job_queue_name,
    launch_template_name,
    on_demand_queue_name,
    security_group_name,
)
from biomodal_deploy.config.settings import Bounds
from biomodal_deploy.errors import UsageError

Bootstrap: TypeAlias = Literal["module", "native"]


@dataclass(frozen=True, kw_only=True)
class Hardened:
    """What the native implementation's hardened profile has beyond the documented one.

    Attributes:
        ami_id: The VM's image, or empty for the newest Ubuntu.
        batch_subnet_ids: The Batch hosts' own subnets; none where they use the VM's.
    """

    iam_name_prefix: str = ""
    ssh_key: bool = False
    elastic_ip: bool = True
    ami_id: str = ""
    permissions_boundary_arn: str = ""
    access_log_bucket: str = ""
    alarm_topic_arn: str = ""
    batch_subnet_ids: tuple[str, ...] = ()
    batch_max_vcpus: int = BATCH_VCPUS


@dataclass(frozen=True, kw_only=True)
class Target:
    """One stack, as far as the checks ask about it.

    Attributes:
        use_existing_bucket_url: The bucket to use, or empty for one of its own.
        bootstrap: The implementation, as names and roles differ between the two.
        hardened: What the native hardened profile adds; None for every other stack.
        tags: Tags on everything, so that a policy conditioned on them is judged rightly.
        bucket_key: The KMS key of the existing bucket that the stack's roles may use, or None.
    """

    region: str
    vpc_id: str
    subnet_id: str
    vm_name: str
    instance_type: str = "t3.large"
    use_existing_bucket_url: str = ""
    bootstrap: Bootstrap = "module"
    limits: Bounds = field(default_factory=Bounds)
    hardened: Hardened | None = None
    tags: tuple[tuple[str, str], ...] = ()
    kms_key: str | None = None
    bucket_key: str | None = None

    @property
    def existing_bucket(self) -> str | None:
        """The name of the bucket that exists before the stack, or None."""
        return self.use_existing_bucket_url.removeprefix("s3://").removesuffix("/") or None

    @property
    def new_bucket(self) -> str | None:
        """The name of the bucket that is made; None where AWS chooses it, or none is made."""
        return self.vm_name if self.bootstrap == "native" and not self.existing_bucket else None

    @property
    def security_group(self) -> str:
        """The name of the VM's security group."""
        return security_group_name(self.vm_name)

    @property
    def roles(self) -> tuple[str, ...]:
        """The names of the roles that the stack makes, and of their instance profiles."""
        if self.hardened is None:
            return (self.vm_name,)
        name = f"{self.hardened.iam_name_prefix}{self.vm_name}"
        hosts = name[: ROLE_LENGTH - len(HOST_SUFFIX)] + HOST_SUFFIX
        return (name[:ROLE_LENGTH], hosts)

    @property
    def job_queues(self) -> tuple[str, ...]:
        """The names of the Batch job queues."""
        queue = job_queue_name(self.vm_name)
        return (queue, on_demand_queue_name(self.vm_name)) if self.hardened else (queue,)

    @property
    def batch_vcpus(self) -> int:
        """The most vCPUs of a Batch compute environment."""
        return self.hardened.batch_max_vcpus if self.hardened else BATCH_VCPUS

    @property
    def other_host_subnets(self) -> bool:
        """Whether Batch hosts run in other subnets than the VM."""
        return self.hardened is not None and self.hardened.batch_subnet_ids not in (
            (),
            (self.subnet_id,),
        )

    @property
    def launch_template(self) -> str:
        """The name of the Batch hosts' launch template."""
        return launch_template_name(self.vm_name)


_TEXTS: Final = (
    *("region", "vpc_id", "subnet_id", "vm_name", "instance_type", "use_existing_bucket_url"),
)
_HARDENED_TEXTS: Final = (
    *("ami_id", "iam_name_prefix", "permissions_boundary_arn"),
    *("access_log_bucket", "alarm_topic_arn"),
)


def target_from(
    values: Mapping[str, object],
    bootstrap: Bootstrap,
    limits: Bounds | None = None,
    *,
    profile: str = "documented",
) -> Target:
    """Return what to check from a stack's variables.

    Args:
        values: Values of Terraform variables by name; defaults may be left out.

    Raises:
        UsageError: A required variable is missing, or one is no text.
    """
    given = {
        variable.name: _text(variable.name, values.get(variable.name, variable.default))
        for variable in variables_of(bootstrap)
        if variable.type == "string"
    }
    return Target(
        **{name: given[name] for name in _TEXTS},
        bootstrap=bootstrap,
        limits=limits or Bounds(),
        hardened=_hardened(values) if (bootstrap, profile) == ("native", "hardened") else None,
        tags=((given["tag_key"], given["tag_value"]), (OWN_TAG, given["vm_name"])),
    )


def _hardened(values: Mapping[str, object]) -> Hardened:
    given = {
        variable.name: values.get(variable.name, variable.default)
        for variable in variables_of("native", "hardened")
    }
    subnets, networks = given["batch_subnet_ids"], given["ssh_cidr_blocks"]
    vcpus = given["batch_max_vcpus"]
    return Hardened(
        **{name: _text(name, given[name]) for name in _HARDENED_TEXTS},
        elastic_ip=given["elastic_ip"] is not False,
        ssh_key=bool(networks or given["ssh_public_key"]),
        batch_subnet_ids=tuple(map(str, subnets)) if isinstance(subnets, list | tuple) else (),
        batch_max_vcpus=vcpus if isinstance(vcpus, int) else BATCH_VCPUS,
    )


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    rule = "missing" if value is None else "not a text between double quotes"
    raise UsageError(rule, field=name, value=value, fix=f'set {name} = "..." in terraform.tfvars')
