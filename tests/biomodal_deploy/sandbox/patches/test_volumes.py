"""Patches of volumes mend what they say: the same calls go wrong without them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from biomodal_deploy.sandbox.patches import volumes
from tests.support.moto import REGION, Use, launch, only


def volume_of(ec2: Any, vm: str) -> dict[str, Any]:
    """Return the one volume of an instance."""
    filters = [{"Name": "attachment.instance-id", "Values": [vm]}]
    return only(ec2.describe_volumes(Filters=filters)["Volumes"])


def test_launched_volumes_perform_as_asked(aws: Callable[[str], Any], use: Use) -> None:
    """A launch's gp3 volume has the IOPS and throughput asked for, else gp3's own."""
    ec2 = aws("ec2")

    def performance(**asked: int) -> tuple[int | None, int | None]:
        mapping = {
            "DeviceName": "/dev/sda1",
            "Ebs": {"VolumeSize": 9, "VolumeType": "gp3", **asked},
        }
        volume = volume_of(ec2, launch(ec2, BlockDeviceMappings=[mapping]))
        return volume.get("Iops"), volume.get("Throughput")

    assert performance(Iops=4000, Throughput=250) == (3000, None)
    use(volumes.launched_volumes_perform_as_asked)
    assert performance(Iops=4000, Throughput=250) == (4000, 250)
    assert performance() == (3000, 125)


def test_default_key_is_named(aws: Callable[[str], Any], use: Use) -> None:
    """New volumes' key is AWS's own, until somebody chooses another."""
    use(volumes.default_key_is_named)
    ec2 = aws("ec2")
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == "alias/aws/ebs"
    key = aws("kms").create_key()["KeyMetadata"]["Arn"]
    ec2.modify_ebs_default_kms_key_id(KmsKeyId=key)
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == key


def test_one_modification_a_volume(aws: Callable[[str], Any], use: Use) -> None:
    """Of two changes of a volume the second is shown."""
    ec2 = aws("ec2")
    volume = ec2.create_volume(Size=10, AvailabilityZone=f"{REGION}a")["VolumeId"]
    for size in (20, 30):
        ec2.modify_volume(VolumeId=volume, Size=size)

    def targets() -> list[int]:
        shown = ec2.describe_volumes_modifications(VolumeIds=[volume])["VolumesModifications"]
        return [each["TargetSize"] for each in shown]

    assert targets() == [20, 30]
    use(volumes.one_modification_a_volume)
    assert targets() == [30]


def test_volumes_never_shrink(aws: Callable[[str], Any], use: Use) -> None:
    """A smaller size is refused as EC2 refuses it; other changes are not."""
    ec2 = aws("ec2")
    volume = ec2.create_volume(Size=10, AvailabilityZone=f"{REGION}a")["VolumeId"]
    ec2.modify_volume(VolumeId=volume, Size=9)
    use(volumes.volumes_never_shrink)
    with pytest.raises(ClientError, match="New size cannot be smaller than existing size"):
        ec2.modify_volume(VolumeId=volume, Size=8)
    ec2.modify_volume(VolumeId=volume, Size=12, VolumeType="gp3")
    assert only(ec2.describe_volumes()["Volumes"])["Size"] == 12
