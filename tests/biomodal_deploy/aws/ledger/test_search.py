"""What a stack holds before a destroy, and each thing that nobody could tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.ledger import Fate, Holding, Ledger, Leftover, Leftovers
from biomodal_deploy.aws.ledger.search import (
    find_leftovers,
    read_ledger,
    unread_ledger,
    unread_leftovers,
)
from biomodal_deploy.aws.ledger.target import Target
from tests.support.destroyed import DISK, LOGS, destroyed, held
from tests.support.operated import ADDRESS, NAME, REGION, VM, described_environment
from tests.support.recorded_aws import Given, Parameters, Recorded, Refusal

Answering = Callable[[dict[str, Recorded]], Clients]

BUCKET: Final = "aws_s3_bucket.data_bucket[0]"


def quiet(_: str) -> None:
    """Say nothing."""


def instance(*disks: tuple[str, bool]) -> Given:
    """Return the VM as EC2 describes it."""
    mapped = [
        {"DeviceName": "/dev/sda1", "Ebs": {"VolumeId": volume, "DeleteOnTermination": goes}}
        for volume, goes in disks
    ]
    found = {"InstanceId": VM, "InstanceType": "t3.large", "State": {"Name": "running"}}
    return {"Reservations": [{"Instances": [{**found, "BlockDeviceMappings": mapped}]}]}


def jobs(**counts: int) -> Callable[[Parameters], Given]:
    """Return a queue's jobs, so many of each status."""

    def answer(asked: Parameters) -> Given:
        found = range(counts.get(asked["jobStatus"], 0))
        return {"jobSummaryList": [{"jobId": f"j{each}", "jobName": "align"} for each in found]}

    return answer


def account() -> dict[str, Recorded]:
    """Return the answers of an account in which everything is in use."""
    return {
        "s3.ListObjectVersions": {
            "Versions": [
                {"Key": "a", "VersionId": "2", "Size": 2048, "IsLatest": True},
                {"Key": "a", "VersionId": "1", "Size": 1024, "IsLatest": False},
            ],
            "DeleteMarkers": [{"Key": "b", "VersionId": "1"}],
            "IsTruncated": False,
        },
        "s3.ListMultipartUploads": {"Uploads": [{"Key": "half", "UploadId": "u"}]},
        "ecr.DescribeImages": {"imageDetails": [{"imageSizeInBytes": 1024**3}] * 2},
        "batch.ListJobs": jobs(RUNNING=3, RUNNABLE=1),
        "ec2.DescribeInstances": instance((DISK, True), ("vol-2", False)),
        "ec2.DescribeInstanceAttribute": {"DisableApiTermination": {"Value": True}},
        "ec2.DescribeVolumes": {
            "Volumes": [{"VolumeId": DISK, "Size": 100}, {"VolumeId": "vol-2", "Size": 500}]
        },
        "logs.DescribeLogGroups": {"logGroups": [{"logGroupName": LOGS, "storedBytes": 4096}]},
    }


def read(clients: Clients, target: Target | None = None) -> Ledger:
    """Read the ledger of a stack."""
    return read_ledger(target or destroyed(), clients, quiet)


def one(ledger: Ledger, kind: str, name: str = "") -> Holding:
    """Return the one holding of a kind."""
    (found,) = (each for each in ledger.holdings if each.kind == kind and name in ("", each.name))
    return found


def kinds(*found: Holding) -> set[str]:
    """Return of what kinds holdings are."""
    return {each.kind for each in found}


def changed(address: str, **attributes: Any) -> Target:
    """Return the stack with one resource that is different."""
    resources = held()
    resources[address] = {**resources[address], **attributes}
    return destroyed(resources)


def test_everything_in_use(answering: Answering) -> None:
    """Each thing with what becomes of it; what makes the destroy fail says what solves it."""
    ledger = read(answering(account()))
    fates = {(each.kind, each.name): each.fate for each in ledger.holdings}
    assert fates == {
        ("bucket", NAME): Fate.STOPS,
        ("repository", NAME): Fate.STOPS,
        ("job-queue", f"{NAME}-job-queue"): Fate.LOST,
        ("vm", VM): Fate.LOST,
        ("termination-protection", VM): Fate.MAY_STOP,
        ("volume", DISK): Fate.LOST,
        ("volume", "vol-2"): Fate.STAYS,
        ("elastic-ip", ADDRESS): Fate.LOST,
        ("log-group", LOGS): Fate.LOST,
    }
    bucket, repository, queue = (
        one(ledger, kind) for kind in ("bucket", "repository", "job-queue")
    )
    assert bucket.line.startswith(
        "1 object, 1 old version, 1 delete marker, 3.0 KiB, 1 unfinished upload; "
    )
    counts = {"objects": 1, "old versions": 1, "delete markers": 1, "bytes": 3072}
    assert {each.what: each.count for each in bucket.amounts} == counts | {"unfinished uploads": 1}
    copy, keep, lose = bucket.fixes
    assert f"aws s3 sync s3://{NAME} s3://ANOTHER-BUCKET" in copy
    assert "state rm 'aws_s3_bucket.data_bucket[0]'" in keep
    assert "bucket_force_destroy = true" in lose
    assert repository.line.startswith("2 images, 2.0 GiB; ")
    assert f"--repository-name {NAME} --force" in repository.fixes[1]
    assert queue.line.startswith("1 runnable job, 3 running jobs; ")
    assert "--job-status RUNNING" in queue.fixes[0]
    assert "--no-disable-api-termination" in one(ledger, "termination-protection").fixes[0]
    snapshot = f"create-snapshot --region {REGION} --volume-id {DISK}"
    assert snapshot in str(one(ledger, "volume", DISK).fixes)
    assert "500.0 GiB; delete_on_termination is off" in one(ledger, "volume", "vol-2").line


def test_read_back_as_it_was_written(answering: Answering) -> None:
    """What is kept beside the plan is the ledger itself."""
    ledger = read(answering(account()))
    assert Ledger.model_validate_json(ledger.model_dump_json()) == ledger


FORCED: Final = {"force_destroy": True}
LOCKED: Final = {**FORCED, "object_lock_enabled": True}
IMAGES: Final = "aws_ecr_repository.image_repository"


@pytest.mark.parametrize(
    ("address", "attributes", "kind", "fate", "says"),
    [
        (BUCKET, FORCED, "bucket", Fate.LOST, "for ever"),
        (BUCKET, LOCKED, "bucket", Fate.MAY_STOP, "Object Lock is on"),
        (IMAGES, {"force_delete": True}, "repository", Fate.LOST, "all of them are deleted"),
    ],
)
def test_what_is_deleted_with_everything_in_it(
    answering: Answering, address: str, attributes: dict[str, Any], kind: str, fate: Fate, says: str
) -> None:
    """The flag in the state decides, and what is locked cannot be promised."""
    found = one(read(answering(account()), changed(address, **attributes)), kind)
    assert (found.fate, says in found.line) == (fate, True)


DENIED: Final = Refusal("AccessDenied", status=403)
OBJECTS, VERSIONS, UPLOADS = "s3.ListObjectsV2", "s3.ListObjectVersions", "s3.ListMultipartUploads"
ASKED: Final = {"bucket", "repository", "job-queue", "vm", "log-group"}


def test_nothing_in_it(answering: Answering) -> None:
    """Empty is said only where everything could be seen."""
    answers = account() | {
        VERSIONS: {"IsTruncated": False},
        UPLOADS: {},
        "ecr.DescribeImages": {"imageDetails": []},
        "batch.ListJobs": jobs(),
        "ec2.DescribeInstanceAttribute": {"DisableApiTermination": {"Value": False}},
        "logs.DescribeLogGroups": {"logGroups": [{"logGroupName": LOGS, "storedBytes": 0}]},
    }
    ledger = read(answering(answers))
    assert ledger.of(Fate.STOPS, Fate.MAY_STOP, Fate.UNKNOWN) == ()
    assert kinds(*ledger.of(Fate.EMPTY)) == ASKED - {"vm"}


def test_only_s3_is_denied(answering: Answering) -> None:
    """The bucket is unknown, never empty, and names what to allow; all else is told."""
    ledger = read(answering(account() | {VERSIONS: DENIED, OBJECTS: DENIED}))
    (unknown,) = ledger.of(Fate.UNKNOWN)
    assert (unknown.kind, unknown.amounts) == ("bucket", ())
    assert unknown.fixes == ("allow s3:ListBucket to the caller",)
    assert one(ledger, "repository").fate is Fate.STOPS


def test_only_versions_are_denied(answering: Answering) -> None:
    """Objects are counted all the same; a bucket that looks empty then is not said to be."""
    seen = {"Contents": [{"Key": "a", "Size": 5}], "IsTruncated": False}
    answers = account() | {VERSIONS: DENIED, UPLOADS: DENIED, OBJECTS: seen}
    some = one(read(answering(answers)), "bucket")
    assert some.fate is Fate.STOPS
    assert "old versions: unknown (s3:ListBucketVersions)" in some.line
    assert "unfinished uploads: unknown" in some.line
    none = one(read(answering(answers | {OBJECTS: {"IsTruncated": False}})), "bucket")
    assert (none.fate, none.fixes) == (Fate.UNKNOWN, ("allow s3:ListBucketVersions to the caller",))


def test_deleted_by_hand(answering: Answering) -> None:
    """Bucket, repository, queue, VM and log group that are gone are said to be."""
    answers = account() | {
        VERSIONS: Refusal("NoSuchBucket", status=404),
        "ecr.DescribeImages": Refusal("RepositoryNotFoundException"),
        "batch.ListJobs": Refusal("ClientException", "Job queue x does not exist"),
        "ec2.DescribeInstances": Refusal("InvalidInstanceID.NotFound"),
        "logs.DescribeLogGroups": {"logGroups": []},
    }
    ledger = read(answering(answers))
    assert kinds(*ledger.of(Fate.GONE)) == ASKED
    assert ledger.of(Fate.UNKNOWN, Fate.STOPS) == ()


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (NoCredentialsError(), "there are no AWS credentials"),
        (EndpointConnectionError(endpoint_url="https://x"), "AWS cannot be reached"),
    ],
)
def test_nobody_answers(answering: Answering, error: Exception, says: str) -> None:
    """Everything that AWS would have to tell is unknown, for the same reason."""
    unknown = read(answering(dict.fromkeys(account(), error))).of(Fate.UNKNOWN)
    assert kinds(*unknown) == ASKED
    assert all(says in each.line for each in unknown)


def test_more_jobs_than_terraform_waits_for(answering: Answering) -> None:
    """Batch ends them slowly: the queue would outlast the provider's patience."""
    found = one(read(answering(account() | {"batch.ListJobs": jobs(RUNNABLE=9_001)})), "job-queue")
    assert found.fate is Fate.STOPS


def test_a_bucket_without_a_variable(answering: Answering) -> None:
    """Where no variable decides, the commands that empty it do: a state bucket, for one."""
    target = replace(destroyed(), may_force=False)
    lose = one(read(answering(account()), target), "bucket").fixes[-1]
    assert lose.startswith("to lose it all: aws s3api delete-objects ")
    assert lose.endswith(f"aws s3 rb s3://{NAME} --force --region {REGION}; and plan again")


def test_stop_protection(answering: Answering) -> None:
    """Terraform lifts the one protection by itself, and not the other."""
    on = {"DisableApiStop": {"Value": True}}
    ledger = read(answering(account() | {"ec2.DescribeInstanceAttribute": on}))
    found = one(ledger, "stop-protection")
    assert (found.fate, "--no-disable-api-stop" in found.fixes[0]) == (Fate.STOPS, True)
    assert not [each for each in ledger.holdings if each.kind == "termination-protection"]


def test_protection_is_denied(answering: Answering) -> None:
    """The VM is told all the same; whether it is protected is not known."""
    denied = Refusal("UnauthorizedOperation", status=403)
    ledger = read(answering(account() | {"ec2.DescribeInstanceAttribute": denied}))
    assert one(ledger, "vm").fate is Fate.LOST
    assert one(ledger, "termination-protection").fate is Fate.UNKNOWN


def test_an_account_that_cannot_be_asked() -> None:
    """Each thing by name, each unknown."""
    ledger = unread_ledger(destroyed(), "nobody could be asked", "do this")
    assert {each.fate for each in ledger.holdings} == {Fate.UNKNOWN}
    assert {each.fixes for each in ledger.holdings} == {("do this",)}
    assert len(ledger.holdings) == 5


def test_a_bucket_of_before_stays(aws: Callable[[str], Any], clients: Clients) -> None:
    """It is counted, and not touched; moto's S3 answers."""
    s3 = aws("s3")
    place = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket="theirs", CreateBucketConfiguration=place)
    s3.put_object(Bucket="theirs", Key="reads", Body=b"x" * 2048)
    s3.create_multipart_upload(Bucket="theirs", Key="half")
    found = one(read(clients, destroyed({}, bucket="theirs")), "bucket")
    assert (found.fate, found.address, found.fixes) == (Fate.STAYS, None, ())
    assert found.line.startswith(
        "1 object, 2.0 KiB, 1 unfinished upload; Terraform does not manage it"
    )


Account = Callable[[str], Any]

OUR_TAG: Final = {"Key": "environment", "Value": "development"}
OUR_NAME: Final = {"Key": "Name", "Value": NAME}


def search(clients: Clients, target: Target) -> Leftovers:
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
    remains = search(clients, destroyed())
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
    remains = search(clients, destroyed(resources))
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
    found = {each.name: each.ours for each in search(clients, destroyed()).left}
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
    found = {each.name for each in search(clients, destroyed(resources)).left}
    assert {vm, twin} <= found
    assert theirs not in found
    ec2.terminate_instances(InstanceIds=[vm, twin])
    assert not {vm, twin} & {each.name for each in search(clients, destroyed(resources)).left}


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
    remains = search(clients, destroyed(resources))
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
    (left,) = search(answering(stuck("DELETING")), destroyed()).left
    assert left.line == "DISABLED, DELETING: AccessDenied: its role is gone"
    assert left.commands[1].startswith("aws batch delete-compute-environment ")
    assert search(answering(stuck("DELETED")), destroyed()).clean


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
    (left,) = search(answering(answers), destroyed()).left
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
    remains = search(answering(NOTHING | refused), destroyed())
    assert what in {each.what for each in remains.unread}
    assert not remains.clean
    assert "it is not known" in remains.sentence()


def test_nobody_answers_what_is_left(answering: Answering) -> None:
    """Each question is unanswered, and nothing raises."""
    error = EndpointConnectionError(endpoint_url="https://x")
    remains = search(answering(dict.fromkeys(NOTHING, error)), destroyed())
    assert (remains.left, len(remains.unread)) == ((), 14)
    assert unread_leftovers(destroyed(), "why", "fix").sentence().startswith("nothing was found")
