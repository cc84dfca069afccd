"""The VM as EC2 sees it: how it is, and what it has printed on its console."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.errors import code_of, or_none

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import InstanceTypeDef


@dataclass(frozen=True)
class Machine:
    """A VM.

    Attributes:
        state: EC2's word: `running`, `stopped`, ...
        profile: The ARN of its instance profile, if it has one.
    """

    state: str
    public_ip: str | None
    profile: str | None
    launched: datetime

    @property
    def minutes_up(self) -> float:
        """Minutes since it was started last."""
        return (datetime.now(UTC) - self.launched).total_seconds() / 60


def describe_instance(clients: Clients, instance_id: str) -> InstanceTypeDef | None:
    """Return what EC2 says of a VM; None where it has none of this id (any more)."""
    ask = partial(clients.ec2().describe_instances, InstanceIds=[instance_id])
    if (said := or_none(ask, "NotFound")) is None:
        return None
    found = [each for group in said["Reservations"] for each in group["Instances"]]
    return found[0] if found else None


def describe_machine(clients: Clients, instance_id: str) -> Machine | None:
    """Return a VM; None where EC2 has none of this id (any more)."""
    found = describe_instance(clients, instance_id)
    if found is None:
        return None
    return Machine(
        state=found["State"]["Name"],
        public_ip=found.get("PublicIpAddress"),
        profile=found.get("IamInstanceProfile", {}).get("Arn"),
        launched=found["LaunchTime"],
    )


def console_of(clients: Clients, instance_id: str) -> str:
    """Return what a VM has printed on its console, at most the last 64 KB; empty for nothing.

    EC2 keeps it for VMs that are stopped too. On Nitro machines it is up to date, on older ones
    it is from shortly after the last start (EC2 user guide, "Instance console output").
    """
    ask = clients.ec2().get_console_output
    try:
        return ask(InstanceId=instance_id, Latest=True).get("Output", "")
    except ClientError as error:
        if code_of(error) not in ("UnsupportedOperation", "InvalidParameterCombination"):
            raise
        return ask(InstanceId=instance_id).get("Output", "")
