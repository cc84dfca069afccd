"""What is left in EC2 after a destroy, disks apart: machines, addresses, interfaces, and names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from biomodal_deploy.aws.errors import code_of
from biomodal_deploy.aws.ledger.model import Left
from biomodal_deploy.aws.ledger.search import UNUSED, Search, ec2_command

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import AddressTypeDef, FilterTypeDef, NetworkInterfaceTypeDef

_ALIVE: Final = ["pending", "running", "stopping", "stopped"]


def instances(search: Search) -> list[Left]:
    """Return the VM where it is still there, and other machines that carry its name and tag."""
    alive: FilterTypeDef = {"Name": "instance-state-name", "Values": _ALIVE}
    wanted: list[list[FilterTypeDef]] = []
    if ids := [each.id for each in search.subject.machines]:
        # A filter, not a list of ids: EC2 refuses to look for an id that it has forgotten.
        wanted.append([alive, {"Name": "instance-id", "Values": ids}])
    if (tagged := search.tagged()) and search.subject.vm_name:
        # By the tag alone these would be the working machines of other deployments.
        wanted.append([alive, *tagged, {"Name": "tag:Name", "Values": [search.subject.vm_name]}])
    pages = search.clients.ec2().get_paginator("describe_instances")
    found = {
        machine["InstanceId"]: machine
        for filters in wanted
        for page in pages.paginate(Filters=filters)
        for group in page["Reservations"]
        for machine in group["Instances"]
    }
    return [
        Left(
            kind="instance",
            name=name,
            line=f"{each['InstanceType']}, {each['State']['Name']}",
            bills=True,
            commands=(ec2_command(search, "terminate-instances", "--instance-ids", name),),
        )
        for name, each in found.items()
    ]


def addresses(search: Search) -> list[Left]:
    """Return elastic IPs that were the deployment's, and unused ones with its tag."""
    ids = [each.allocation_id for each in search.subject.public_addresses]
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
        Left(
            kind="elastic-ip",
            name=name,
            line=f"{each.get('PublicIp', '?')}, allocated",
            bills=True,
            ours=ours,
            commands=(ec2_command(search, "release-address", "--allocation-id", name),),
        )
        for name, (each, ours) in found.items()
    ]


def interfaces(search: Search) -> list[Left]:
    """Return network interfaces in the deployment's security groups, and unused ones of its tag.

    They cost nothing, and keep a security group, a subnet or a VPC from being deleted.
    """
    groups = [each.id for each in search.subject.security_groups]
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
        Left(
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


def templates(search: Search) -> list[Left]:
    """Return launch templates of the deployment's names; they cost nothing."""
    names = [each.name for each in search.subject.templates if each.name]
    if not names:
        return []
    pages = search.clients.ec2().get_paginator("describe_launch_templates")
    return [
        Left(
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


def key_pairs(search: Search) -> list[Left]:
    """Return the deployment's key pair; it costs nothing."""
    names = [each.name for each in search.subject.key_pairs]
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
        Left(
            kind="key-pair",
            name=each["KeyName"],
            line="it opens no machine any more",
            bills=False,
            commands=(ec2_command(search, "delete-key-pair", "--key-name", each["KeyName"]),),
        )
        for each in said["KeyPairs"]
    ]
