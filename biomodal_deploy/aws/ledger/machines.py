"""The VM before a destroy: how it is, its disks, its addresses, and what keeps it from going."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from biomodal_deploy.aws import commands
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.errors import classify_error
from biomodal_deploy.aws.ledger.model import Amount, Fate, Holding
from biomodal_deploy.aws.machines import describe_instance
from biomodal_deploy.aws.resources import ElasticIp, Vm
from biomodal_deploy.text import sized

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import InstanceTypeDef, VolumeTypeDef

_OVER = frozenset({"shutting-down", "terminated"})
_GIB = 1024**3


def machine(found: Vm, clients: Clients) -> list[Holding]:
    """Return a VM's state, its volumes, and what protects it."""
    seen = describe_instance(clients, found.id)
    if seen is None or seen["State"]["Name"] in _OVER:
        return [
            Holding(
                kind="vm",
                name=found.id,
                address=found.address,
                fate=Fate.GONE,
                line="it is gone already: terminated outside Terraform",
            )
        ]
    state = seen["State"]["Name"]
    what = {"running": "it runs, and is terminated"}.get(state, f"it is {state}, and is terminated")
    holding = Holding(
        kind="vm",
        name=found.id,
        address=found.address,
        fate=Fate.LOST,
        line=f"{what}; what runs on it ends, Nextflow's own process with its jobs too",
    )
    return [holding, *_protection(found, clients), *_disks(found, seen, clients)]


def address(found: ElasticIp) -> list[Holding]:
    """Return what becomes of an elastic IP address; the plan knows all of it."""
    return [
        Holding(
            kind="elastic-ip",
            name=found.public_ip or found.allocation_id,
            address=found.address,
            fate=Fate.LOST,
            line="it is given back to AWS; nobody gets the same address again",
        )
    ]


def _protection(found: Vm, clients: Clients) -> list[Holding]:
    """Return what keeps EC2 from terminating it, as far as that can be read."""
    try:
        ends, stops = _protected(found.id, clients)
    except (BotoCoreError, ClientError) as error:
        failure = classify_error(error, clients)
        return [
            Holding(
                kind="termination-protection",
                name=found.id,
                address=found.address,
                fate=Fate.UNKNOWN,
                line=f"whether it is protected: {failure.line}",
                fixes=(failure.fix,),
            )
        ]
    holdings = []
    if ends:
        holdings.append(
            Holding(
                kind="termination-protection",
                name=found.id,
                address=found.address,
                fate=Fate.MAY_STOP,
                line="termination protection is on: Terraform lifts it first where you may "
                "(ec2:ModifyInstanceAttribute), and fails where you may not",
                fixes=(f"to lift it yourself: {commands.unprotect(found.id, clients.region)}",),
            )
        )
    if stops:
        holdings.append(
            Holding(
                kind="stop-protection",
                name=found.id,
                address=found.address,
                fate=Fate.STOPS,
                # The provider sets this one to what the state says before it terminates.
                line="stop protection is on: EC2 neither stops nor terminates it, and Terraform "
                "does not lift it",
                fixes=(f"to lift it: {commands.allow_stop(found.id, clients.region)}",),
            )
        )
    return holdings


def _protected(instance_id: str, clients: Clients) -> tuple[bool, bool]:
    """Return whether EC2 refuses to terminate it, and to stop it."""
    ask = clients.ec2().describe_instance_attribute
    ends = ask(InstanceId=instance_id, Attribute="disableApiTermination")
    stops = ask(InstanceId=instance_id, Attribute="disableApiStop")
    return (
        ends.get("DisableApiTermination", {}).get("Value", False),
        stops.get("DisableApiStop", {}).get("Value", False),
    )


def _disks(found: Vm, seen: InstanceTypeDef, clients: Clients) -> list[Holding]:
    mapped = {
        device["Ebs"]["VolumeId"]: device["Ebs"].get("DeleteOnTermination", False)
        for device in seen.get("BlockDeviceMappings", ())
        if "Ebs" in device and "VolumeId" in device["Ebs"]
    }
    if not mapped:
        return []
    sizes = _sizes(list(mapped), clients)
    return [
        _disk(volume, sizes.get(volume), goes=goes, vm=found, region=clients.region)
        for volume, goes in mapped.items()
    ]


def _disk(volume: str, size: int | None, *, goes: bool, vm: Vm, region: str) -> Holding:
    how_big = sized(size * _GIB) if size is not None else "of unknown size"
    keep = f"to keep what is on it: {commands.keep_snapshot(volume, region)}"
    return Holding(
        kind="volume",
        name=volume,
        address=vm.address,
        fate=Fate.LOST if goes else Fate.STAYS,
        line=f"{how_big}; deleted with the VM"
        if goes
        else f"{how_big}; delete_on_termination is off: it stays without a VM, and bills",
        amounts=(Amount(what="bytes", count=size * _GIB),) if size is not None else (),
        fixes=(keep,) if goes else (),
    )


def _sizes(volumes: Sequence[str], clients: Clients) -> dict[str, int]:
    try:
        said: Sequence[VolumeTypeDef] = clients.ec2().describe_volumes(VolumeIds=volumes)["Volumes"]
    except (BotoCoreError, ClientError):
        return {}  # their sizes are not worth the rest of what is known
    return {each["VolumeId"]: each["Size"] for each in said}
