"""The static public address of the orchestrator VM."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.eip import Eip
from constructs import Construct

from biomodal_aws.part import Part


class ElasticIp(Part):
    """An elastic IP address attached to an instance.

    Args:
        name: Value of its `Name` tag.
        instance_id: The instance that it points to.
        create: Where it is made, as `made_if` takes it.

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
        self.made_if(create, address)
        where_made = f'${{{create} ? one({address.fqn}[*].public_ip) : ""}}'
        self.public_ip = where_made if create else address.public_ip
