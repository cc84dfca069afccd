"""A role for EC2 instances: the orchestrator VM's, or the Batch hosts'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cdktf import ITerraformDependable, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocument,
    DataAwsIamPolicyDocumentStatement,
)
from cdktf_cdktf_provider_aws.iam_instance_profile import IamInstanceProfile
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment
from constructs import Construct

from biomodal_aws.iam.trust import trusts_ec2
from biomodal_aws.part import Part


class InstanceRole(Part):
    """Role, inline policy, managed policies and instance profile.

    Args:
        scope: The stack or construct it belongs to.
        id_: Its id, part of its addresses.
        name: Name of the role, of its policy and of its instance profile.
        statements: What the inline policy permits.
        managed_policies: ARNs of managed policies, by a word that becomes part of the address.
        permissions_boundary: ARN of the policy that bounds the role, or None.

    Attributes:
        permissions: The policies, for `depends_on`.
        instance_profile_name: The instance profile's name.
        instance_profile_arn: The instance profile's ARN.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        statements: Sequence[DataAwsIamPolicyDocumentStatement],
        managed_policies: Mapping[str, str],
        permissions_boundary: str | None = None,
    ) -> None:
        super().__init__(scope, id_)
        trust = trusts_ec2(self)
        # What a changed name replaces is in use until its users have gone over to the successor.
        lifecycle = TerraformResourceLifecycle(create_before_destroy=True)
        permitted = self.named(
            DataAwsIamPolicyDocument(self, "permissions", statement=list(statements))
        )
        role = self.named(
            IamRole(
                self,
                "role",
                name=name,
                assume_role_policy=trust,
                permissions_boundary=permissions_boundary,
                lifecycle=lifecycle,
            )
        )
        policy = self.named(
            IamRolePolicy(
                self,
                "policy",
                name=name,
                role=role.name,
                policy=permitted.json,
                lifecycle=lifecycle,
            )
        )
        attached = [
            self.named(
                IamRolePolicyAttachment(
                    self, f"with-{word}", role=role.name, policy_arn=arn, lifecycle=lifecycle
                ),
                word,
            )
            for word, arn in managed_policies.items()
        ]
        profile = self.named(
            IamInstanceProfile(self, "profile", name=name, role=role.name, lifecycle=lifecycle)
        )
        self.permissions: list[ITerraformDependable] = [policy, *attached]
        self.instance_profile_name = profile.name
        self.instance_profile_arn = profile.arn
