"""What is left in EC2 after a destroy: VMs, disks, snapshots, images, addresses and names.

What is known by its id is this stack's for certain. Tags are weaker: the documented one says
`environment = development`, and other stacks may say the same. Such a find counts as ours
only where its `Name` is the stack's too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from biomodal_deploy.aws.commands import aws
from biomodal_deploy.aws.errors import or_none
from biomodal_deploy.aws.ledger.model import Leftover
from biomodal_deploy.aws.ledger.target import Search

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import FilterTypeDef

_Found: TypeAlias = Mapping[str, tuple[Any, bool]]
"""By its id, what EC2 says of a thing, and whether it is ours for certain."""

# Of volumes and network interfaces: what is attached to nothing.
UNUSED: Final[FilterTypeDef] = {"Name": "status", "Values": ["available"]}
_ALIVE: Final = ["pending", "running", "stopping", "stopped"]


def _leftovers(
    search: Search,
    kind: str,
    found: _Found,
    removal: tuple[str, str],
    line: Callable[[Any], str],
    *,
    bills: bool = True,
) -> list[Leftover]:
    """Return what was found as what is left.

    Args:
        removal: EC2's verb that removes one, and its option for the id.
    """
    verb, option = removal
    return [
        Leftover(
            kind=kind,
            name=name,
            line=line(each),
            bills=bills,
            ours=ours,
            commands=(aws("ec2", verb, search.region, option, name),),
        )
        for name, (each, ours) in found.items()
    ]


def _seen(
    search: Search,
    pages: Callable[[list[FilterTypeDef]], Iterable[Any]],
    key: str,
    by: str,
    ids: Sequence[str],
    unused: Sequence[FilterTypeDef] = (UNUSED,),
) -> _Found:
    """Return what has one of these ids, which are ours, and what has the stack's tag.

    Args:
        pages: Gives what EC2 has, by filters.
        key: What EC2 calls the id of one, and `by` what a filter does.
        unused: Which of those with the tag are wanted.
    """
    found: dict[str, tuple[Any, bool]] = {}
    if ids:
        ours = pages([{"Name": by, "Values": list(ids)}])
        found = {each[key]: (each, True) for each in ours}
    if tagged := search.tagged():
        for each in pages([*tagged, *unused]):
            tags = each.get("Tags", each.get("TagSet", ()))
            found.setdefault(each[key], (each, search.is_named(tags)))
    return found


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
        machine["InstanceId"]: (machine, True)
        for filters in wanted
        for page in pages.paginate(Filters=filters)
        for group in page["Reservations"]
        for machine in group["Instances"]
    }
    removal = ("terminate-instances", "--instance-ids")
    return _leftovers(
        search,
        "instance",
        found,
        removal,
        lambda each: f"{each['InstanceType']}, {each['State']['Name']}",
    )


def addresses(search: Search) -> list[Leftover]:
    """Return elastic IPs that were the stack's, and unused ones with its tag."""

    def pages(filters: list[FilterTypeDef]) -> Iterable[Any]:
        said = search.clients.ec2().describe_addresses(Filters=filters)["Addresses"]
        by_id = filters[0].get("Name") == "allocation-id"
        unused = (each for each in said if "AssociationId" not in each and "AllocationId" in each)
        return said if by_id else unused

    ids = [each.allocation_id for each in search.target.public_addresses]
    found = _seen(search, pages, "AllocationId", "allocation-id", ids, ())
    removal = ("release-address", "--allocation-id")
    return _leftovers(
        search,
        "elastic-ip",
        found,
        removal,
        lambda each: f"{each.get('PublicIp', '?')}, allocated",
    )


def interfaces(search: Search) -> list[Leftover]:
    """Return network interfaces in the stack's security groups, and unused ones of its tag.

    They cost nothing, and keep a security group, a subnet or a VPC from being deleted.
    """
    pager = search.clients.ec2().get_paginator("describe_network_interfaces")
    found = _seen(
        search,
        lambda filters: pager.paginate(Filters=filters).search("NetworkInterfaces"),
        "NetworkInterfaceId",
        "group-id",
        [each.id for each in search.target.security_groups],
    )
    removal = ("delete-network-interface", "--network-interface-id")
    return _leftovers(
        search,
        "network-interface",
        found,
        removal,
        lambda each: f"{each.get('Status', '?')}, {each.get('Description') or 'no description'}",
        bills=False,
    )


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
            line=(id_ := each["LaunchTemplateId"]),
            bills=False,
            commands=(
                aws("ec2", "delete-launch-template", search.region, "--launch-template-id", id_),
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
    filters: list[FilterTypeDef] = [{"Name": "key-name", "Values": names}]
    said = or_none(lambda: search.clients.ec2().describe_key_pairs(Filters=filters), "NotFound")
    found = {each["KeyName"]: (each, True) for each in (said["KeyPairs"] if said else ())}
    removal = ("delete-key-pair", "--key-name")
    return _leftovers(
        search, "key-pair", found, removal, lambda _: "it opens no machine any more", bills=False
    )


def volumes(search: Search) -> list[Leftover]:
    """Return volumes that nothing uses: the VM's own, and those with the stack's tag."""
    pager = search.clients.ec2().get_paginator("describe_volumes")
    found = _seen(
        search,
        lambda filters: pager.paginate(Filters=filters).search("Volumes"),
        "VolumeId",
        "volume-id",
        search.target.volume_ids,
    )
    there = {
        name: each
        for name, each in found.items()
        if each[0]["State"] not in ("deleting", "deleted")
    }
    removal = ("delete-volume", "--volume-id")
    return _leftovers(
        search, "volume", there, removal, lambda each: f"{each['Size']} GiB, {each['State']}"
    )


def snapshots(search: Search) -> list[Leftover]:
    """Return snapshots of the stack's volumes, and those with its tag."""
    pager = search.clients.ec2().get_paginator("describe_snapshots")
    found = _seen(
        search,
        lambda filters: pager.paginate(OwnerIds=["self"], Filters=filters).search("Snapshots"),
        "SnapshotId",
        "volume-id",
        search.target.volume_ids,
        (),
    )
    return _leftovers(
        search,
        "snapshot",
        found,
        ("delete-snapshot", "--snapshot-id"),
        lambda each: (
            f"of {each.get('VolumeId') or 'a volume'}, {each.get('VolumeSize', '?')} GiB, "
            f"from {each['StartTime']:%Y-%m-%d}"
        ),
    )


def images(search: Search) -> list[Leftover]:
    """Return machine images that were made of the VM, and those with the stack's tag."""
    machines = {each.id for each in search.target.machines}
    key, value = search.target.tag or ("", "")
    left = []
    for each in search.clients.ec2().describe_images(Owners=["self"])["Images"]:
        tags = each.get("Tags", ())
        # CreateImage tells it of newer ones only.
        made_of_it = each.get("SourceInstanceId", "") in machines
        tagged = any(tag.get("Key") == key and tag.get("Value") == value for tag in tags)
        if not (made_of_it or (tagged and key)):
            continue
        parts = [
            device["Ebs"]["SnapshotId"]
            for device in each.get("BlockDeviceMappings", ())
            if "SnapshotId" in device.get("Ebs", {})
        ]
        name, region = each["ImageId"], search.region
        left.append(
            Leftover(
                kind="image",
                name=name,
                line=f"{each.get('Name') or 'no name'}; its snapshots bill",
                bills=True,
                ours=made_of_it or search.is_named(tags),
                commands=(
                    aws("ec2", "deregister-image", region, "--image-id", name),
                    *(aws("ec2", "delete-snapshot", region, "--snapshot-id", id_) for id_ in parts),
                ),
            )
        )
    return left
