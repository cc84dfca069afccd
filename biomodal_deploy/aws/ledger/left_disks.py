"""What is left on disks after a destroy: volumes that nothing uses, snapshots, machine images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from biomodal_deploy.aws.ledger.model import Left
from biomodal_deploy.aws.ledger.search import UNUSED, Search, ec2_command

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import ImageTypeDef, SnapshotTypeDef, VolumeTypeDef


def volumes(search: Search) -> list[Left]:
    """Return volumes that nothing uses: the VM's own, and those with the deployment's tag."""
    ids = list(search.subject.volume_ids)
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
        Left(
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


def snapshots(search: Search) -> list[Left]:
    """Return snapshots of the deployment's volumes, and those with its tag."""
    ids = list(search.subject.volume_ids)
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
        Left(
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


def images(search: Search) -> list[Left]:
    """Return machine images that were made of the VM, and those with the deployment's tag."""
    machines = {each.id for each in search.subject.machines}
    said = search.clients.ec2().describe_images(Owners=["self"])["Images"]
    key, value = search.subject.tag or ("", "")
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
                Left(
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
