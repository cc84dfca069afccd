"""A service-linked role: AWS names it and writes its policy, an account has it once."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.iam_service_linked_role import IamServiceLinkedRole
from constructs import Construct

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
