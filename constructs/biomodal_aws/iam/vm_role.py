"""The role of the orchestrator VM, not of the Batch hosts nor of the tasks on them."""

from __future__ import annotations

from constructs import Construct

from biomodal_aws.iam.instance_role import InstanceRole
from biomodal_aws.iam.key_use import use_keys
from biomodal_aws.iam.vm_policy import vm_may


class VmRole(InstanceRole):
    """The documented role (document section "IAM Roles and Instance Profile").

    Args:
        name: Name of the role, of its policy and of its instance profile.
        bucket_arn: The data bucket, made by the stack or existing before it.
        bucket_key: The KMS key that an existing data bucket is encrypted with, or None.

    Attributes:
        policy: The inline policy, for `depends_on`.
        instance_profile_name: The instance profile that hands the role to the VM.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        bucket_arn: str,
        bucket_key: str | None = None,
    ) -> None:
        statements = [*vm_may(bucket_arn), *use_keys([bucket_key], "s3")]
        super().__init__(scope, id_, name=name, statements=statements)
