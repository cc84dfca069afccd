"""Resources of a state, as far as operating them needs to know: both implementations alike.

Names of attributes are those of the AWS provider, 5 and 6: the upstream module is free to use
either.
"""

from __future__ import annotations

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from biomodal_deploy.config.contract.grammar import Arn, InstanceId, InstanceType, IpAddress, Name


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Vm(_Read):
    """The orchestrator VM (`aws_instance`)."""

    id: InstanceId
    arn: Arn
    instance_type: InstanceType
    public_ip: IpAddress | None = None


class ComputeResources(_Read):
    """Which hosts a compute environment has: `SPOT` or `EC2`, that is On-Demand."""

    type: str
    instance_role: Arn | None = None


class ComputeEnvironment(_Read):
    """A Batch compute environment (`aws_batch_compute_environment`)."""

    arn: Arn
    name: Name = Field(validation_alias=AliasChoices("compute_environment_name", "name"))
    compute_resources: tuple[ComputeResources, ...] = ()

    @property
    def is_spot(self) -> bool:
        """Whether its hosts can be reclaimed at any time."""
        return any(each.type == "SPOT" for each in self.compute_resources)


class _Order(_Read):
    compute_environment: Arn


class JobQueue(_Read):
    """A Batch job queue (`aws_batch_job_queue`)."""

    arn: Arn
    name: Name
    compute_environments: tuple[Arn, ...] | None = None
    compute_environment_order: tuple[_Order, ...] | None = None

    @property
    def environment_arns(self) -> frozenset[str]:
        """The compute environments that it feeds."""
        ordered = (each.compute_environment for each in self.compute_environment_order or ())
        return frozenset((*(self.compute_environments or ()), *ordered))


class Repository(_Read):
    """An ECR repository (`aws_ecr_repository`)."""

    name: Name


class Role(_Read):
    """An IAM role (`aws_iam_role`)."""

    arn: Arn
    name: Name
    assume_role_policy: str = ""


class InstanceProfile(_Read):
    """An IAM instance profile (`aws_iam_instance_profile`)."""

    name: Name
    role: Name | None = None


class LaunchTemplate(_Read):
    """The Batch hosts' launch template (`aws_launch_template`); user data is base64."""

    name: Name
    user_data: str | None = None


class LogGroup(_Read):
    """A CloudWatch log group (`aws_cloudwatch_log_group`)."""

    name: Name
