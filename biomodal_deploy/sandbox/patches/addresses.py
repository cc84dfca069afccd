"""What moto's Elastic IPs lack."""

from __future__ import annotations

from typing import Any, Final

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend

from biomodal_deploy.sandbox.patches.change import Change, Method


def addresses_need_a_gateway() -> list[Change]:
    """Refuse an Elastic IP for a machine whose VPC has no internet gateway, as EC2 does.

    moto attaches it, so that a stack for a closed VPC passes here and fails on AWS.
    """

    def attached(original: Method) -> Method:
        def associate_address(self: Any, instance: Any = None, eni: Any = None, **more: Any) -> Any:
            interface = eni or (instance.nics[0] if instance and instance.nics else None)
            vpc = interface.subnet.vpc_id if interface else None
            if vpc and not self.describe_internet_gateways(filters={"attachment.vpc-id": [vpc]}):
                raise EC2ClientError(
                    "Gateway.NotAttached", f"Network {vpc} is not attached to any internet gateway"
                )
            return original(self, instance=instance, eni=eni, **more)

        return associate_address

    return [Change(EC2Backend, "associate_address", attached)]


PATCHES: Final = (addresses_need_a_gateway,)
