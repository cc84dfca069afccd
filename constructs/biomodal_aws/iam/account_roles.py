"""Roles that an account has once: those of services, and that of the Batch hosts."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.iam_instance_profile import IamInstanceProfile
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment
from cdktf_cdktf_provider_aws.iam_service_linked_role import IamServiceLinkedRole
from constructs import Construct

from biomodal_aws.iam.statements import trusts_ec2
from biomodal_aws.part import Part


class ServiceLinkedRole(Part):
    """The role through which a service acts in the account.

    Args:
        service: The service's principal, such as `batch.amazonaws.com`.
        create: Where it is made, as `made_if` takes it.
    """

    def __init__(
        self, scope: Construct, id_: str, *, service: str, create: str | None = None
    ) -> None:
        super().__init__(scope, id_)
        role = self.named(IamServiceLinkedRole(self, "role", aws_service_name=service))
        self.made_if(create, role)


class EcsInstanceRole(Part):
    """Role, managed policy and instance profile (section "Pre-existing AWS Service Roles").

    Args:
        partition: The account's partition.
        name: Name of the role and of its instance profile.
        create: Where it is made, as `made_if` takes it.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        partition: str,
        name: str = "ecsInstanceRole",
        create: str | None = None,
    ) -> None:
        super().__init__(scope, id_)
        trust = trusts_ec2(self)
        role = self.named(IamRole(self, "role", name=name, assume_role_policy=trust))
        # By reference, not by name: the profile and the policy come after the role.
        role_name = f"${{aws_iam_role.{self.address}{'[0]' if create else ''}.name}}"
        policy = self.named(
            IamRolePolicyAttachment(
                self,
                "policy",
                role=role_name,
                policy_arn=(
                    f"arn:{partition}:iam::aws:policy/service-role/"
                    "AmazonEC2ContainerServiceforEC2Role"
                ),
            )
        )
        profile = self.named(IamInstanceProfile(self, "profile", name=name, role=role_name))
        self.made_if(create, role, policy, profile)
