"""What is left after a destroy, on moto's account, with the command that removes each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from botocore.exceptions import EndpointConnectionError

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.ledger.after import find_leftovers, unread_leftovers
from biomodal_deploy.aws.ledger.model import Leftover, Leftovers
from biomodal_deploy.aws.ledger.target import Target
from tests.support.destroyed import destroyed, held
from tests.support.operated import NAME, REGION, described_environment
from tests.support.recorded_aws import Recorded, Refusal

Account = Callable[[str], Any]
Answering = Callable[[dict[str, Recorded]], Clients]

OUR_TAG: Final = {"Key": "environment", "Value": "development"}
OUR_NAME: Final = {"Key": "Name", "Value": NAME}


def quiet(_: str) -> None:
    """Say nothing."""


def read(clients: Clients, target: Target) -> Leftovers:
    """Search for what is left."""
    return find_leftovers(target, clients, quiet)


def by_kind(remains: Leftovers) -> dict[str, Leftover]:
    """Return what is left, one of each kind."""
    return {each.kind: each for each in remains.left}


def tagged(kind: str, *tags: dict[str, str]) -> dict[str, Any]:
    """Return the tags that a thing is made with."""
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": list(tags)}]}


def volume(ec2: Any, *tags: dict[str, str]) -> str:
    """Make a volume that nothing uses."""
    made = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=8, **tagged("volume", *tags))
    return str(made["VolumeId"])


def test_nothing_is_left(aws: Account, clients: Clients) -> None:
    """Said only where every question was answered."""
    remains = read(clients, destroyed())
    assert (remains.left, remains.unread, remains.clean) == ((), (), True)
    assert remains.sentence() == "nothing is left that bills"
    assert Leftovers.model_validate_json(remains.model_dump_json()) == remains


def test_what_is_left_and_bills(aws: Account, clients: Clients) -> None:
    """Disks, snapshots, addresses, buckets, repositories and logs, known by id and name."""
    ec2, s3 = aws("ec2"), aws("s3")
    disk = volume(ec2, {"Key": "x", "Value": "y"})
    snapshot = ec2.create_snapshot(VolumeId=disk)["SnapshotId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    s3.create_bucket(Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})
    for _ in range(2):
        s3.put_object(Bucket=NAME, Key="reads", Body=b"x" * 1024)
    aws("ecr").create_repository(repositoryName=NAME)
    aws("logs").create_log_group(logGroupName=f"/biomodal/{NAME}/tasks")
    aws("logs").create_log_group(logGroupName="/aws/batch/job")
    resources = held()
    resources["aws_instance.vm"]["root_block_device"] = [{"volume_id": disk}]
    resources["aws_eip.public_ip"]["allocation_id"] = address
    remains = read(clients, destroyed(resources))
    left = by_kind(remains)
    billed = {"bucket", "volume", "snapshot", "elastic-ip", "log-group"}
    assert {each.kind for each in remains.bills} == billed
    assert left["bucket"].line.startswith("1 object, 1 old version, 2.0 KiB")
    empty, remove = left["bucket"].commands
    assert empty.startswith(f"aws s3api delete-objects --region {REGION} --bucket {NAME} ")
    assert remove == f"aws s3 rb s3://{NAME} --force --region {REGION}"
    for kind, command in {
        "volume": f"delete-volume --region {REGION} --volume-id {disk}",
        "snapshot": f"delete-snapshot --region {REGION} --snapshot-id {snapshot}",
        "elastic-ip": f"release-address --region {REGION} --allocation-id {address}",
    }.items():
        assert left[kind].commands == (f"aws ec2 {command}",)
    assert (left["repository"].bills, left["repository"].line) == (False, "0 images, 0 bytes")
    # All of the region's jobs log there: told, and not counted.
    (shared,) = (each for each in remains.left if each.name == "/aws/batch/job")
    assert not shared.ours
    assert remains.sentence() == "5 things left that may still bill"


def test_what_only_has_the_same_tag(aws: Account, clients: Clients) -> None:
    """It may be another stack's: told apart, and not in the verdict. The name decides."""
    ec2 = aws("ec2")
    theirs = volume(ec2, OUR_TAG)
    near = volume(ec2, OUR_TAG, {"Key": "Name", "Value": f"{NAME}-2"})
    ours = volume(ec2, OUR_TAG, OUR_NAME)
    other = volume(ec2, {"Key": "environment", "Value": "production"})
    found = {each.name: each.ours for each in read(clients, destroyed()).left}
    assert found == {ours: True, theirs: False, near: False}
    assert other not in found


def test_machines(aws: Account, clients: Clients) -> None:
    """The VM and what has its name; not the working machines of whoever has the same tag."""
    ec2 = aws("ec2")
    image = ec2.register_image(Name="ubuntu", RootDeviceName="/dev/sda1")["ImageId"]

    def launched(*tags: dict[str, str]) -> str:
        of = tagged("instance", *tags)
        made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, **of)
        return str(made["Instances"][0]["InstanceId"])

    vm, twin = launched({"Key": "x", "Value": "y"}), launched(OUR_TAG, OUR_NAME)
    theirs = launched(OUR_TAG)
    resources = held()
    resources["aws_instance.vm"]["id"] = vm
    found = {each.name for each in read(clients, destroyed(resources)).left}
    assert {vm, twin} <= found
    assert theirs not in found
    ec2.terminate_instances(InstanceIds=[vm, twin])
    assert not {vm, twin} & {each.name for each in read(clients, destroyed(resources)).left}


def test_what_costs_nothing(aws: Account, clients: Clients) -> None:
    """Key pairs, launch templates and network interfaces are told, and do not spoil the verdict."""
    ec2 = aws("ec2")
    ec2.create_key_pair(KeyName=NAME)
    name = f"{NAME}-batch-launch-template"
    ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData={"EbsOptimized": True})
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc)["GroupId"]
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    ec2.create_network_interface(SubnetId=subnet, Groups=[group])
    resources = held()
    resources["aws_security_group.ssh"]["id"] = group
    remains = read(clients, destroyed(resources))
    assert set(by_kind(remains)) == {"key-pair", "launch-template", "network-interface"}
    assert remains.clean
    assert all(each.commands for each in remains.left)


# Everything that is searched for, and of none there is any.
NOTHING: Final[dict[str, Recorded]] = {
    "s3.ListObjectVersions": Refusal("NoSuchBucket", status=404),
    "ecr.DescribeImages": Refusal("RepositoryNotFoundException"),
    "batch.DescribeComputeEnvironments": {"computeEnvironments": []},
    "batch.DescribeJobQueues": {"jobQueues": []},
    "logs.DescribeLogGroups": {"logGroups": []},
    "ec2.DescribeInstances": {"Reservations": []},
    **{
        f"ec2.Describe{kind}": {kind: []}
        for kind in (
            *("Volumes", "Snapshots", "Images", "Addresses", "NetworkInterfaces"),
            *("LaunchTemplates", "KeyPairs"),
        )
    },
}


def stuck(status: str) -> dict[str, Recorded]:
    """Return an account with a compute environment of a status."""
    found = described_environment("DISABLED", status, "AccessDenied: its role is gone")
    found["computeEnvironments"][0]["ecsClusterArn"] = "x"
    return NOTHING | {"batch.DescribeComputeEnvironments": found}


def test_a_compute_environment_that_hangs(answering: Answering) -> None:
    """With Batch's reason; one that is deleted is no news."""
    (left,) = read(answering(stuck("DELETING")), destroyed()).left
    assert left.line == "DISABLED, DELETING: AccessDenied: its role is gone"
    assert left.commands[1].startswith("aws batch delete-compute-environment ")
    assert read(answering(stuck("DELETED")), destroyed()).clean


def test_an_image_of_the_vm(answering: Answering) -> None:
    """Its snapshots go with it, and are told once."""
    part = {"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": "snap-1"}}
    of = {"Name": "backup", "SourceInstanceId": destroyed().machines[0].id}
    made = {"ImageId": "ami-1", "BlockDeviceMappings": [part], **of}
    theirs = {"ImageId": "ami-2", "SourceInstanceId": "i-2"}
    snapshot = {"SnapshotId": "snap-1", "StartTime": 0, "VolumeId": "vol-1", "VolumeSize": 8}
    answers = NOTHING | {
        "ec2.DescribeImages": {"Images": [made, theirs]},
        "ec2.DescribeSnapshots": {"Snapshots": [snapshot]},
    }
    (left,) = read(answering(answers), destroyed()).left
    assert (left.kind, left.name, left.ours) == ("image", "ami-1", True)
    assert [each.split()[2] for each in left.commands] == ["deregister-image", "delete-snapshot"]


@pytest.mark.parametrize(
    ("denied", "what"),
    [
        ("s3.ListObjectVersions", f"bucket {NAME}"),
        ("ec2.DescribeSnapshots", "snapshots"),
        ("logs.DescribeLogGroups", "log group /aws/batch/job"),
    ],
)
def test_one_question_is_denied(answering: Answering, denied: str, what: str) -> None:
    """Then nobody knows whether nothing is left, and the sentence says so."""
    refused = dict.fromkeys((denied, "s3.ListObjectsV2"), Refusal("AccessDenied", status=403))
    remains = read(answering(NOTHING | refused), destroyed())
    assert what in {each.what for each in remains.unread}
    assert not remains.clean
    assert "it is not known" in remains.sentence()


def test_nobody_answers(answering: Answering) -> None:
    """Each question is unanswered, and nothing raises."""
    error = EndpointConnectionError(endpoint_url="https://x")
    remains = read(answering(dict.fromkeys(NOTHING, error)), destroyed())
    assert (remains.left, len(remains.unread)) == ((), 14)
    assert unread_leftovers(destroyed(), "why", "fix").sentence().startswith("nothing was found")
