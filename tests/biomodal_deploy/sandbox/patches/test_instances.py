"""Patches of EC2 instances fix what they say: the same calls go wrong without them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from biomodal_deploy.sandbox.patches import instances
from tests.support.moto import REGION, Use, launch, only

TERMINATE = {"Value": "terminate"}


def instance(ec2: Any, vm: str) -> dict[str, Any]:
    """Return an instance as EC2 describes it."""
    return only(only(ec2.describe_instances(InstanceIds=[vm])["Reservations"])["Instances"])


def test_monitoring(ec2: Any, use: Use) -> None:
    """MonitorInstances and UnmonitorInstances answer and are remembered."""
    vm = launch(ec2)
    with pytest.raises(NotImplementedError):
        ec2.monitor_instances(InstanceIds=[vm])
    use(instances.monitoring)

    def state() -> str:
        return str(instance(ec2, vm)["Monitoring"]["State"])

    answer = ec2.monitor_instances(InstanceIds=[vm])
    assert only(answer["InstanceMonitorings"])["Monitoring"]["State"] == "pending"
    assert state() == "enabled"
    with pytest.raises(ClientError, match=r"InvalidInstanceID\.NotFound"):
        ec2.unmonitor_instances(InstanceIds=[vm, "i-0123456789abcdef0"])
    assert state() == "enabled"
    ec2.unmonitor_instances(InstanceIds=[vm])
    assert state() == "disabled"


def test_user_data_can_be_changed(ec2: Any, use: Use) -> None:
    """User data that ModifyInstanceAttribute sets is read back as it was, bytes of any kind."""
    vm = launch(ec2)
    packed = b"\x1f\x8b\x00 not text"
    with pytest.raises(ClientError, match="Invalid BASE64"):
        ec2.modify_instance_attribute(InstanceId=vm, UserData={"Value": packed})
    use(instances.user_data_can_be_changed)
    ec2.modify_instance_attribute(InstanceId=vm, UserData={"Value": packed})
    read = ec2.describe_instance_attribute(InstanceId=vm, Attribute="userData")
    assert base64.b64decode(read["UserData"]["Value"]) == packed


def test_primary_interface_goes_with_its_instance(ec2: Any, use: Use) -> None:
    """A terminated instance leaves no interface, but the one that was made beforehand."""

    def interfaces() -> list[str]:
        listed = ec2.describe_network_interfaces()["NetworkInterfaces"]
        return [each["NetworkInterfaceId"] for each in listed]

    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    ec2.terminate_instances(InstanceIds=[launch(ec2, SubnetId=subnet)])
    without_patch = interfaces()
    assert len(without_patch) == 1
    use(instances.primary_interface_goes_with_its_instance)
    ec2.terminate_instances(InstanceIds=[launch(ec2, SubnetId=subnet)])
    assert interfaces() == without_patch
    own = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    nics = [{"DeviceIndex": 0, "NetworkInterfaceId": own}]
    ec2.terminate_instances(InstanceIds=[launch(ec2, NetworkInterfaces=nics)])
    assert own in interfaces()


def test_attributes_leave_security_groups_alone(ec2: Any, use: Use) -> None:
    """A change of the shutdown behaviour changes that, and no security group."""
    vm = launch(ec2)

    def groups() -> list[str]:
        read = ec2.describe_instance_attribute(InstanceId=vm, Attribute="groupSet")
        return [each["GroupId"] for each in read["Groups"]]

    (group,) = [each["GroupId"] for each in ec2.describe_security_groups()["SecurityGroups"]]

    def change() -> list[str]:
        ec2.modify_instance_attribute(InstanceId=vm, Groups=[group])
        ec2.modify_instance_attribute(InstanceId=vm, InstanceInitiatedShutdownBehavior=TERMINATE)
        return groups()

    assert change() == []
    use(instances.attributes_leave_security_groups_alone)
    assert change() == [group]
    name = "instanceInitiatedShutdownBehavior"
    read = ec2.describe_instance_attribute(InstanceId=vm, Attribute=name)
    assert read["InstanceInitiatedShutdownBehavior"] == TERMINATE


def test_instance_profile_can_be_replaced(aws: Callable[[str], Any], use: Use) -> None:
    """An instance shows the profile that replaced its first one."""
    ec2, roles = aws("ec2"), aws("iam")
    for name in ("first", "second", "third"):
        roles.create_instance_profile(InstanceProfileName=name)
    vm = launch(ec2, IamInstanceProfile={"Name": "first"})

    def after(name: str) -> str:
        associations = ec2.describe_iam_instance_profile_associations()
        association = only(associations["IamInstanceProfileAssociations"])
        ec2.replace_iam_instance_profile_association(
            AssociationId=association["AssociationId"], IamInstanceProfile={"Name": name}
        )
        return str(instance(ec2, vm)["IamInstanceProfile"]["Arn"]).split("/")[-1]

    assert after("second") == "first"
    use(instances.instance_profile_can_be_replaced)
    assert after("third") == "third"


def test_interface_and_instance_have_the_same_groups(ec2: Any, use: Use) -> None:
    """Security groups set on an instance's own interface are the instance's, and the other way."""
    subnet = ec2.describe_subnets()["Subnets"][0]
    of: dict[str, Any] = {"Description": "d", "VpcId": subnet["VpcId"]}
    names = ("first", "second", "third")
    groups = [ec2.create_security_group(GroupName=name, **of)["GroupId"] for name in names]
    vm = launch(ec2, SubnetId=subnet["SubnetId"], SecurityGroupIds=groups[:1])

    def shown() -> tuple[list[str], list[str]]:
        found = instance(ec2, vm)
        of_interface = only(found["NetworkInterfaces"])["Groups"]
        of_vm = [each["GroupId"] for each in found["SecurityGroups"]]
        return of_vm, sorted(each["GroupId"] for each in of_interface)

    def set_on_interface(wanted: list[str]) -> None:
        interface = only(instance(ec2, vm)["NetworkInterfaces"])["NetworkInterfaceId"]
        ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=wanted)

    set_on_interface(groups[1:2])
    assert shown() == (groups[:1], sorted(groups[:2]))
    use(instances.interface_and_instance_have_the_same_groups)
    set_on_interface(groups[:2])
    assert shown() == (groups[:2], sorted(groups[:2]))
    ec2.modify_instance_attribute(InstanceId=vm, Groups=groups[2:])
    assert shown() == (groups[2:], groups[2:])


def volume_of(ec2: Any, vm: str) -> dict[str, Any]:
    """Return the one volume of an instance."""
    filters = [{"Name": "attachment.instance-id", "Values": [vm]}]
    return only(ec2.describe_volumes(Filters=filters)["Volumes"])


def test_launched_volumes_perform_as_asked(ec2: Any, use: Use) -> None:
    """A launch's gp3 volume has the IOPS and throughput asked for, else gp3's own."""

    def performance(**asked: int) -> tuple[int | None, int | None]:
        mapping = {
            "DeviceName": "/dev/sda1",
            "Ebs": {"VolumeSize": 9, "VolumeType": "gp3", **asked},
        }
        volume = volume_of(ec2, launch(ec2, BlockDeviceMappings=[mapping]))
        return volume.get("Iops"), volume.get("Throughput")

    assert performance(Iops=4000, Throughput=250) == (3000, None)
    use(instances.launched_volumes_perform_as_asked)
    assert performance(Iops=4000, Throughput=250) == (4000, 250)
    assert performance() == (3000, 125)


def test_default_key_is_named(aws: Callable[[str], Any], use: Use) -> None:
    """New volumes' key is AWS's own, until somebody chooses another."""
    use(instances.default_key_is_named)
    ec2 = aws("ec2")
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == "alias/aws/ebs"
    key = aws("kms").create_key()["KeyMetadata"]["Arn"]
    ec2.modify_ebs_default_kms_key_id(KmsKeyId=key)
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == key


def test_one_modification_a_volume(ec2: Any, use: Use) -> None:
    """Of two changes of a volume the second is shown."""
    volume = ec2.create_volume(Size=10, AvailabilityZone=f"{REGION}a")["VolumeId"]
    for size in (20, 30):
        ec2.modify_volume(VolumeId=volume, Size=size)

    def targets() -> list[int]:
        shown = ec2.describe_volumes_modifications(VolumeIds=[volume])["VolumesModifications"]
        return [each["TargetSize"] for each in shown]

    assert targets() == [20, 30]
    use(instances.one_modification_a_volume)
    assert targets() == [30]


def test_volumes_never_shrink(ec2: Any, use: Use) -> None:
    """A smaller size is refused as EC2 refuses it; other changes are not."""
    volume = ec2.create_volume(Size=10, AvailabilityZone=f"{REGION}a")["VolumeId"]
    ec2.modify_volume(VolumeId=volume, Size=9)
    use(instances.volumes_never_shrink)
    with pytest.raises(ClientError, match="New size cannot be smaller than existing size"):
        ec2.modify_volume(VolumeId=volume, Size=8)
    ec2.modify_volume(VolumeId=volume, Size=12, VolumeType="gp3")
    assert only(ec2.describe_volumes()["Volumes"])["Size"] == 12
