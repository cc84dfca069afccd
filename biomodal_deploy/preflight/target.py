"""What the account is checked for: one deployment's place, names and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from biomodal_deploy.contract import variables_of
from biomodal_deploy.errors import UsageError
from biomodal_deploy.settings import Limits

Bootstrap: TypeAlias = Literal["module", "native"]


@dataclass(frozen=True, kw_only=True)
class Target:
    """One deployment, as far as the checks ask about it.

    Attributes:
        region: The AWS region.
        vpc_id: The VPC, which exists.
        subnet_id: The subnet, which exists.
        vm_name: The name that everything is named after.
        instance_type: The VM's instance type.
        use_existing_bucket_url: The bucket to use, or empty for one of its own.
        bootstrap: The implementation, as names and roles differ between the two.
        limits: Accounts and regions that the deployment may touch.
        own_batch_role: Whether the stack makes the Batch hosts' role, so that none has to exist.
        tags: Tags on everything, so that a policy conditioned on them is judged rightly.
    """

    region: str
    vpc_id: str
    subnet_id: str
    vm_name: str
    instance_type: str = "t3.large"
    use_existing_bucket_url: str = ""
    bootstrap: Bootstrap = "module"
    limits: Limits = field(default_factory=Limits)
    own_batch_role: bool = False
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def existing_bucket(self) -> str | None:
        """The name of the bucket that exists before the deployment, or None."""
        return self.use_existing_bucket_url.removeprefix("s3://").removesuffix("/") or None

    @property
    def new_bucket(self) -> str | None:
        """The name of the bucket that is made; None where AWS chooses it, or none is made."""
        return self.vm_name if self.bootstrap == "native" and not self.existing_bucket else None

    @property
    def security_group(self) -> str:
        """The name of the VM's security group."""
        return f"{self.vm_name}-sg"

    @property
    def job_queue(self) -> str:
        """The name of the Batch job queue."""
        return f"{self.vm_name}-job-queue"

    @property
    def launch_template(self) -> str:
        """The name of the Batch hosts' launch template."""
        return f"{self.vm_name}-batch-launch-template"


def target_from(
    values: Mapping[str, object],
    bootstrap: Bootstrap,
    limits: Limits | None = None,
    *,
    profile: str = "documented",
) -> Target:
    """Return what to check from a deployment's variables.

    Args:
        values: Values of Terraform variables by name; defaults may be left out.
        bootstrap: The deployment's implementation.
        limits: The deployment's limits.
        profile: The deployment's profile.

    Raises:
        UsageError: A required variable is missing, or one is no text.
    """
    given = {
        variable.name: _text(variable.name, values.get(variable.name, variable.default))
        for variable in variables_of(bootstrap)
        if variable.type == "string"
    }
    return Target(
        region=given["region"],
        vpc_id=given["vpc_id"],
        subnet_id=given["subnet_id"],
        vm_name=given["vm_name"],
        instance_type=given["instance_type"],
        use_existing_bucket_url=given["use_existing_bucket_url"],
        bootstrap=bootstrap,
        limits=limits or Limits(),
        own_batch_role=(bootstrap, profile) == ("native", "hardened"),
        tags=((given["tag_key"], given["tag_value"]),),
    )


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    rule = "It is missing" if value is None else "It is a text between double quotes"
    raise UsageError(rule, field=name, value=value, fix=f'set {name} = "..." in terraform.tfvars')
