"""A role for EC2 instances, with its policy and its instance profile."""

from __future__ import annotations

from collections.abc import Sequence

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocument,
    DataAwsIamPolicyDocumentStatement,
)
from cdktf_cdktf_provider_aws.iam_instance_profile import IamInstanceProfile
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from constructs import Construct

from biomodal_aws.iam.statements import trusts_ec2
from biomodal_aws.part import Part


class InstanceRole(Part):
    """Role, inline policy and instance profile.

    The policies are data sources, so that a plan shows them as statements a reviewer can read.

    Args:
        name: Name of the role, of its policy and of its instance profile.
        statements: What the inline policy permits.
        permissions_boundary: ARN of the policy that bounds the role, or None.

    Attributes:
        lifecycle: How each of them is replaced.
        policy: The inline policy, for `depends_on`.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        statements: Sequence[DataAwsIamPolicyDocumentStatement],
        permissions_boundary: str | None = None,
    ) -> None:
        super().__init__(scope, id_)
        trust = trusts_ec2(self)
        # What a changed name replaces is in use until its users have gone over to the successor.
        self.lifecycle = TerraformResourceLifecycle(create_before_destroy=True)
        permitted = self.named(
            DataAwsIamPolicyDocument(self, "permissions", statement=list(statements))
        )
        self.role = self.named(
            IamRole(
                self,
                "role",
                name=name,
                assume_role_policy=trust,
                permissions_boundary=permissions_boundary,
                lifecycle=self.lifecycle,
            )
        )
        self.policy = self.named(
            IamRolePolicy(
                self,
                "policy",
                name=name,
                role=self.role.name,
                policy=permitted.json,
                lifecycle=self.lifecycle,
            )
        )
        profile = self.named(
            IamInstanceProfile(
                self, "profile", name=name, role=self.role.name, lifecycle=self.lifecycle
            )
        )
        self.instance_profile_name = profile.name
        self.instance_profile_arn = profile.arn
