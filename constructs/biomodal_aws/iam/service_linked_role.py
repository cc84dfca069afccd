"""A service-linked role: AWS names it and writes its policy, an account has it once."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.iam_service_linked_role import IamServiceLinkedRole
from constructs import Construct

from biomodal_aws.part import Part


class ServiceLinkedRole(Part):
    """The role through which a service acts in the account.

    Args:
        scope: The stack or construct it belongs to.
        id_: Its id, part of its addresses.
        service: The service's principal, such as `batch.amazonaws.com`.
        create: A Terraform condition (without `${}`): where it is false, nothing is made. None
            makes the role always.
    """

    def __init__(
        self, scope: Construct, id_: str, *, service: str, create: str | None = None
    ) -> None:
        super().__init__(scope, id_)
        role = self.named(IamServiceLinkedRole(self, "role", aws_service_name=service))
        if create:
            role.add_override("count", f"${{{create} ? 1 : 0}}")
