"""The static public address of the orchestrator VM."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.eip import Eip
from constructs import Construct

from biomodal_aws.part import Part


class ElasticIp(Part):
    """An elastic IP address attached to an instance.

    Args:
        scope: The stack or construct it belongs to.
        id_: Its id, part of its addresses.
        name: Value of its `Name` tag.
        instance_id: The instance that it points to.
        create: A Terraform condition (without `${}`): where it is false, nothing is made. None
            makes the address always.

    Attributes:
        public_ip: The address; empty where none is made.
    """

    def __init__(
        self, scope: Construct, id_: str, *, name: str, instance_id: str, create: str | None = None
    ) -> None:
        super().__init__(scope, id_)
        address = self.named(
            Eip(self, "address", domain="vpc", instance=instance_id, tags={"Name": name})
        )
        self.public_ip = address.public_ip
        if create:
            address.add_override("count", f"${{{create} ? 1 : 0}}")
            self.public_ip = f'${{{create} ? one({address.fqn}[*].public_ip) : ""}}'
