"""What is left in EC2 after a destroy: VMs, disks, snapshots, images, addresses and names.

What is known by its id is this stack's for certain. Tags are weaker: the documented one says
`environment = development`, and other stacks may say the same. Such a find counts as ours
only where its `Name` is the stack's too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.commands import aws
from biomodal_deploy.aws.errors import code_of
from biomodal_deploy.aws.ledger.model import Leftover
from biomodal_deploy.aws.ledger.target import Target

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        AddressTypeDef,
        FilterTypeDef,
        ImageTypeDef,
        NetworkInterfaceTypeDef,
        SnapshotTypeDef,
        TagTypeDef,
        VolumeTypeDef,
    )


# Of volumes and network interfaces: what is attached to nothing.
UNUSED: Final[FilterTypeDef] = {"Name": "status", "Values": ["available"]}


@dataclass(frozen=True)
class Search:
    """A search of one account for what is left of one stack."""

    target: Target
    clients: Clients

    @property
    def region(self) -> str:
        """Where it is searched."""
        return self.clients.region

    def tagged(self) -> list[FilterTypeDef]:
        """Return the filter for the stack's tag; empty where it is not known."""
        if self.target.tag is None:
            return []
        key, value = self.target.tag
        return [{"Name": f"tag:{key}", "Values": [value]}]

    def is_named(self, tags: Sequence[TagTypeDef]) -> bool:
        """Say whether tags name this very stack, and not only something that it shares."""
        # The whole name: `lab-2` may be another stack than `lab`.
        name = next((each.get("Value") for each in tags if each.get("Key") == "Name"), None)
        return name is not None and name == self.target.vm_name


def ec2_command(search: Search, verb: str, *words: str) -> str:
    """Return a command of the AWS CLI for EC2, in the search's region."""
    return aws("ec2", verb, search.region, *words)


_ALIVE: Final = ["pending", "running", "stopping", "stopped"]


def instances(search: Search) -> list[Leftover]:
    """Return the VM where it is still there, and other machines that carry its name and tag."""
    alive: FilterTypeDef = {"Name": "instance-state-name", "Values": _ALIVE}
    wanted: list[list[FilterTypeDef]] = []
    if ids := [each.id for each in search.target.machines]:
        # A filter, not a list of ids: EC2 refuses to look for an id that it has forgotten.
        wanted.append([alive, {"Name": "instance-id", "Values": ids}])
    if (tagged := search.tagged()) and search.target.vm_name:
        # By the tag alone these would be the working machines of other stacks.
        wanted.append([alive, *tagged, {"Name": "tag:Name", "Values": [search.target.vm_name]}])
    pages = search.clients.ec2().get_paginator("describe_instances")
    found = {
        machine["InstanceId"]: machine
        for filters in wanted
        for page in pages.paginate(Filters=filters)
        for group in page["Reservations"]
        for machine in group["Instances"]
    }
    return [
        Leftover(
            kind="instance",
            name=name,
            line=f"{each['InstanceType']}, {each['State']['Name']}",
            bills=True,
            commands=(ec2_command(search, "terminate-instances", "--instance-ids", name),),
        )
        for name, each in found.items()
    ]


def addresses(search: Search) -> list[Leftover]:
    """Return elastic IPs that were the stack's, and unused ones with its tag."""
    ids = [each.allocation_id for each in search.target.public_addresses]
    found: dict[str, tuple[AddressTypeDef, bool]] = {}
    ec2 = search.clients.ec2()
    if ids:
        said = ec2.describe_addresses(Filters=[{"Name": "allocation-id", "Values": ids}])
        found.update({each["AllocationId"]: (each, True) for each in said["Addresses"]})
    if tagged := search.tagged():
        for each in ec2.describe_addresses(Filters=tagged)["Addresses"]:
            if "AssociationId" not in each and "AllocationId" in each:
                ours = search.is_named(each.get("Tags", ()))
                found.setdefault(each["AllocationId"], (each, ours))
    return [
        Leftover(
            kind="elastic-ip",
            name=name,
            line=f"{each.get('PublicIp', '?')}, allocated",
            bills=True,
            ours=ours,
            commands=(ec2_command(search, "release-address", "--allocation-id", name),),
        )
        for name, (each, ours) in found.items()
    ]


def interfaces(search: Search) -> list[Leftover]:
    """Return network interfaces in the stack's security groups, and unused ones of its tag.

    They cost nothing, and keep a security group, a subnet or a VPC from being deleted.
    """
    groups = [each.id for each in search.target.security_groups]
    found: dict[str, tuple[NetworkInterfaceTypeDef, bool]] = {}
    pages = search.clients.ec2().get_paginator("describe_network_interfaces")
    if groups:
        for page in pages.paginate(Filters=[{"Name": "group-id", "Values": groups}]):
            found.update(
                {each["NetworkInterfaceId"]: (each, True) for each in page["NetworkInterfaces"]}
            )
    if tagged := search.tagged():
        for page in pages.paginate(Filters=[*tagged, UNUSED]):
            for each in page["NetworkInterfaces"]:
                ours = search.is_named(each.get("TagSet", ()))
                found.setdefault(each["NetworkInterfaceId"], (each, ours))
    return [
        Leftover(
            kind="network-interface",
            name=name,
            line=f"{each.get('Status', '?')}, {each.get('Description') or 'no description'}",
            bills=False,
            ours=ours,
            commands=(
                ec2_command(search, "delete-network-interface", "--network-interface-id", name),
            ),
        )
        for name, (each, ours) in found.items()
    ]


def templates(search: Search) -> list[Leftover]:
    """Return launch templates of the stack's names; they cost nothing."""
    names = [each.name for each in search.target.templates if each.name]
    if not names:
        return []
    pages = search.clients.ec2().get_paginator("describe_launch_templates")
    return [
        Leftover(
            kind="launch-template",
            name=each["LaunchTemplateName"],
            line=each["LaunchTemplateId"],
            bills=False,
            commands=(
                ec2_command(
                    search,
                    "delete-launch-template",
                    "--launch-template-id",
                    each["LaunchTemplateId"],
                ),
            ),
        )
        for page in pages.paginate(Filters=[{"Name": "launch-template-name", "Values": names}])
        for each in page["LaunchTemplates"]
    ]


def key_pairs(search: Search) -> list[Leftover]:
    """Return the stack's key pair; it costs nothing."""
    names = [each.name for each in search.target.key_pairs]
    if not names:
        return []
    try:
        said = search.clients.ec2().describe_key_pairs(
            Filters=[{"Name": "key-name", "Values": names}]
        )
    except ClientError as error:
        if "NotFound" in code_of(error):
            return []
        raise
    return [
        Leftover(
            kind="key-pair",
            name=each["KeyName"],
            line="it opens no machine any more",
            bills=False,
            commands=(ec2_command(search, "delete-key-pair", "--key-name", each["KeyName"]),),
        )
        for each in said["KeyPairs"]
    ]


def volumes(search: Search) -> list[Leftover]:
    """Return volumes that nothing uses: the VM's own, and those with the stack's tag."""
    ids = list(search.target.volume_ids)
    found: dict[str, tuple[VolumeTypeDef, bool]] = {}
    pages = search.clients.ec2().get_paginator("describe_volumes")
    if ids:
        for page in pages.paginate(Filters=[{"Name": "volume-id", "Values": ids}]):
            found.update({each["VolumeId"]: (each, True) for each in page["Volumes"]})
    if tagged := search.tagged():
        for page in pages.paginate(Filters=[*tagged, UNUSED]):
            for each in page["Volumes"]:
                found.setdefault(each["VolumeId"], (each, search.is_named(each.get("Tags", ()))))
    return [
        Leftover(
            kind="volume",
            name=name,
            line=f"{each['Size']} GiB, {each['State']}",
            bills=True,
            ours=ours,
            commands=(ec2_command(search, "delete-volume", "--volume-id", name),),
        )
        for name, (each, ours) in found.items()
        if each["State"] not in ("deleting", "deleted")
    ]


def snapshots(search: Search) -> list[Leftover]:
    """Return snapshots of the stack's volumes, and those with its tag."""
    ids = list(search.target.volume_ids)
    found: dict[str, tuple[SnapshotTypeDef, bool]] = {}
    pages = search.clients.ec2().get_paginator("describe_snapshots")
    if ids:
        of_ours = pages.paginate(OwnerIds=["self"], Filters=[{"Name": "volume-id", "Values": ids}])
        for page in of_ours:
            found.update({each["SnapshotId"]: (each, True) for each in page["Snapshots"]})
    if tagged := search.tagged():
        for page in pages.paginate(OwnerIds=["self"], Filters=tagged):
            for each in page["Snapshots"]:
                found.setdefault(each["SnapshotId"], (each, search.is_named(each.get("Tags", ()))))
    return [
        Leftover(
            kind="snapshot",
            name=name,
            line=f"of {each.get('VolumeId') or 'a volume'}, {each.get('VolumeSize', '?')} GiB, "
            f"from {each['StartTime']:%Y-%m-%d}",
            bills=True,
            ours=ours,
            commands=(ec2_command(search, "delete-snapshot", "--snapshot-id", name),),
        )
        for name, (each, ours) in found.items()
    ]


def images(search: Search) -> list[Leftover]:
    """Return machine images that were made of the VM, and those with the stack's tag."""
    machines = {each.id for each in search.target.machines}
    said = search.clients.ec2().describe_images(Owners=["self"])["Images"]
    key, value = search.target.tag or ("", "")
    left = []
    for each in said:
        tags = each.get("Tags", ())
        made_of_it = _source(each) in machines
        tagged = any(tag.get("Key") == key and tag.get("Value") == value for tag in tags)
        if made_of_it or (tagged and key):
            name = each["ImageId"]
            parts = [
                device["Ebs"]["SnapshotId"]
                for device in each.get("BlockDeviceMappings", ())
                if "SnapshotId" in device.get("Ebs", {})
            ]
            left.append(
                Leftover(
                    kind="image",
                    name=name,
                    line=f"{each.get('Name') or 'no name'}; its snapshots bill",
                    bills=True,
                    ours=made_of_it or search.is_named(tags),
                    commands=(
                        ec2_command(search, "deregister-image", "--image-id", name),
                        *(
                            ec2_command(search, "delete-snapshot", "--snapshot-id", part)
                            for part in parts
                        ),
                    ),
                )
            )
    return left


def _source(image: ImageTypeDef) -> str:
    """Return the VM that an image was made of; CreateImage tells it of newer ones only."""
    return image.get("SourceInstanceId", "")
