"""The role of the orchestrator VM, not of the Batch hosts nor of the tasks on them."""

from __future__ import annotations

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import DataAwsIamPolicyDocument
from cdktf_cdktf_provider_aws.iam_instance_profile import IamInstanceProfile
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from constructs import Construct

from biomodal_aws.iam import vm_policy
from biomodal_aws.iam.key_use import use_keys
from biomodal_aws.iam.trust import trusts_ec2
from biomodal_aws.part import Part


class VmRole(Part):
    """Role, inline policy and instance profile (document section "IAM Roles and Instance Profile").

    The policies are data sources, so that a plan shows them as statements a reviewer can read.

    Args:
        scope: The stack or construct it belongs to.
        id_: Its id, part of its addresses.
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
        super().__init__(scope, id_)
        trust = trusts_ec2(self)
        # What a changed name replaces is in use until its users have gone over to the successor.
        lifecycle = TerraformResourceLifecycle(create_before_destroy=True)
        permissions = self.named(
            DataAwsIamPolicyDocument(
                self,
                "permissions",
                statement=[
                    vm_policy.data_bucket_access(bucket_arn),
                    vm_policy.image_access(),
                    vm_policy.batch_jobs(),
                    vm_policy.describe_hosts(),
                    *use_keys([bucket_key], "s3"),
                ],
            )
        )
        role = self.named(
            IamRole(self, "role", name=name, assume_role_policy=trust, lifecycle=lifecycle)
        )
        self.policy = self.named(
            IamRolePolicy(
                self,
                "policy",
                name=name,
                role=role.name,
                policy=permissions.json,
                lifecycle=lifecycle,
            )
        )
        profile = self.named(
            IamInstanceProfile(self, "profile", name=name, role=role.name, lifecycle=lifecycle)
        )
        self.instance_profile_name = profile.name
