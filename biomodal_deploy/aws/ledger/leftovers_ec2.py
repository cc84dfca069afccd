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
from biomodal_deploy.aws.ledger import Leftover
from biomodal_deploy.aws.ledger.target import Search

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import FilterTypeDef

_Pages: TypeAlias = "Callable[[list[FilterTypeDef]], Iterable[Any]]"
_Found: TypeAlias = Mapping[str, tuple[Any, bool]]
"""By its id, what EC2 says of a thing, and whether it is ours for certain."""

# Of volumes and network interfaces: what is attached to nothing.
UNUSED: Final[FilterTypeDef] = {"Name": "status", "Values": ["available"]}
_ALIVE: Final = ["pending", "running", "stopping", "stopped"]


def _leftovers(
    search: Search,
    kind: str,
    found: _Found,
    removal: str,
    line: Callable[[Any], str],
    *,
    bills: bool = True,
) -> list[Leftover]:
    """Return what was found as what is left; EC2's verb and its option for the id remove one."""
    return [
        Leftover(
            kind=kind,
            name=name,
            line=line(each),
            bills=bills,
            ours=ours,
            commands=(aws("ec2", removal.split()[0], search.region, removal.split()[1], name),),
        )
        for name, (each, ours) in found.items()
    ]


def _pages(search: Search, operation: Any, key: str, **more: Any) -> _Pages:
    """Return what gives everything that EC2 has, by filters."""
    pager = search.clients.ec2().get_paginator(operation)
    return lambda filters: pager.paginate(Filters=filters, **more).search(key)


def _seen(
    search: Search,
    pages: _Pages,
    key: str,
    by: str,
    ids: Sequence[str],
    unused: Sequence[FilterTypeDef] = (UNUSED,),
) -> _Found:
    """Return what has one of these ids, which are ours, and what of the stack's tag is unused."""
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
    pages = _pages(search, "describe_instances", "Reservations[].Instances[]")
    found = {each["InstanceId"]: (each, True) for filters in wanted for each in pages(filters)}
    removal = "terminate-instances --instance-ids"
    line = "{0[InstanceType]}, {0[State][Name]}"
    return _leftovers(search, "instance", found, removal, line.format)


def addresses(search: Search) -> list[Leftover]:
    """Return elastic IPs that were the stack's, and unused ones with its tag."""

    def pages(filters: list[FilterTypeDef]) -> Iterable[Any]:
        said = search.clients.ec2().describe_addresses(Filters=filters)["Addresses"]
        by_id = filters[0].get("Name") == "allocation-id"
        unused = (each for each in said if "AssociationId" not in each and "AllocationId" in each)
        return said if by_id else unused

    ids = [each.allocation_id for each in search.target.public_addresses]
    found = _seen(search, pages, "AllocationId", "allocation-id", ids, ())
    removal = "release-address --allocation-id"
    return _leftovers(
        search, "elastic-ip", found, removal, lambda ip: f"{ip.get('PublicIp', '?')}, allocated"
    )


def interfaces(search: Search) -> list[Leftover]:
    """Return network interfaces in the stack's security groups, and unused ones of its tag.

    They cost nothing, and keep a security group, a subnet or a VPC from being deleted.
    """
    pages = _pages(search, "describe_network_interfaces", "NetworkInterfaces")
    ids = [each.id for each in search.target.security_groups]
    found = _seen(search, pages, "NetworkInterfaceId", "group-id", ids)

    def line(each: Any) -> str:
        return f"{each.get('Status', '?')}, {each.get('Description') or 'no description'}"

    removal = "delete-network-interface --network-interface-id"
    return _leftovers(search, "network-interface", found, removal, line, bills=False)


def templates(search: Search) -> list[Leftover]:
    """Return launch templates of the stack's names; they cost nothing."""
    names = [each.name for each in search.target.templates if each.name]
    pages = _pages(search, "describe_launch_templates", "LaunchTemplates")
    wanted: list[FilterTypeDef] = [{"Name": "launch-template-name", "Values": names}]
    found = {each["LaunchTemplateId"]: each for each in (pages(wanted) if names else ())}
    remove = ("ec2", "delete-launch-template", search.region, "--launch-template-id")
    return [
        Leftover(
            kind="launch-template",
            name=each["LaunchTemplateName"],
            line=id_,
            bills=False,
            commands=(aws(*remove, id_),),
        )
        for id_, each in found.items()
    ]


def key_pairs(search: Search) -> list[Leftover]:
    """Return the stack's key pair; it costs nothing."""
    names = [each.name for each in search.target.key_pairs]
    if not names:
        return []
    filters: list[FilterTypeDef] = [{"Name": "key-name", "Values": names}]
    said = or_none(lambda: search.clients.ec2().describe_key_pairs(Filters=filters), "NotFound")
    found = {each["KeyName"]: (each, True) for each in (said["KeyPairs"] if said else ())}
    removal, line = "delete-key-pair --key-name", "it opens no machine any more"
    return _leftovers(search, "key-pair", found, removal, lambda _: line, bills=False)


def volumes(search: Search) -> list[Leftover]:
    """Return volumes that nothing uses: the VM's own, and those with the stack's tag."""
    pages = _pages(search, "describe_volumes", "Volumes")
    found = _seen(search, pages, "VolumeId", "volume-id", search.target.volume_ids)
    over = ("deleting", "deleted")
    there = {name: each for name, each in found.items() if each[0]["State"] not in over}
    removal = "delete-volume --volume-id"
    return _leftovers(search, "volume", there, removal, "{0[Size]} GiB, {0[State]}".format)


def snapshots(search: Search) -> list[Leftover]:
    """Return snapshots of the stack's volumes, and those with its tag."""
    pages = _pages(search, "describe_snapshots", "Snapshots", OwnerIds=["self"])
    found = _seen(search, pages, "SnapshotId", "volume-id", search.target.volume_ids, ())

    def line(each: Any) -> str:
        size = f"{each.get('VolumeId') or 'a volume'}, {each.get('VolumeSize', '?')} GiB"
        return f"of {size}, from {each['StartTime']:%Y-%m-%d}"

    return _leftovers(search, "snapshot", found, "delete-snapshot --snapshot-id", line)


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
