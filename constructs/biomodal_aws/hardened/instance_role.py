"""A role for EC2 instances that has managed policies too: the VM's, or the Batch hosts'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import DataAwsIamPolicyDocumentStatement
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment
from constructs import Construct

from biomodal_aws.iam import instance_role


class InstanceRole(instance_role.InstanceRole):
    """Role, inline policy, managed policies and instance profile.

    Args:
        name: Name of the role, of its policy and of its instance profile.
        statements: What the inline policy permits.
        managed_policies: ARNs of managed policies, by a word that becomes part of the address.
        permissions_boundary: ARN of the policy that bounds the role, or None.

    Attributes:
        permissions: The policies, for `depends_on`.
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
        super().__init__(
            scope, id_, name=name, statements=statements, permissions_boundary=permissions_boundary
        )
        attached = [
            self.named(
                IamRolePolicyAttachment(
                    self,
                    f"with-{word}",
                    role=self.role.name,
                    policy_arn=arn,
                    lifecycle=self.lifecycle,
                ),
                word,
            )
            for word, arn in managed_policies.items()
        ]
        self.permissions: list[ITerraformDependable] = [self.policy, *attached]
