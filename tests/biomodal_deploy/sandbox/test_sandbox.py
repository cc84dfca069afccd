"""The account on loopback: what it holds, where it listens, what it tells apart."""

from __future__ import annotations

import re
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from biomodal_deploy.errors import EngineError
from biomodal_deploy.sandbox import Item, Sandbox
from biomodal_deploy.sandbox.account import DEFAULT_ACCOUNT_ID

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("sandbox")]

# Of services that boto3's stubs are not installed for.
BUDGET: dict[str, Any] = {
    "BudgetName": "monthly",
    "BudgetLimit": {"Amount": "100", "Unit": "USD"},
    "TimeUnit": "MONTHLY",
    "BudgetType": "COST",
}
ALARM: dict[str, Any] = {
    "AlarmName": "down",
    "ComparisonOperator": "GreaterThanThreshold",
    "EvaluationPeriods": 1,
    "MetricName": "StatusCheckFailed",
    "Namespace": "AWS/EC2",
    "Period": 60,
    "Statistic": "Maximum",
    "Threshold": 0,
}
OURS = {"AccountId": DEFAULT_ACCOUNT_ID}
GROUP = {"logGroupName": "/vm"}
# How each is made and removed, of services that boto3's stubs are not installed for.
EXTRAS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "budgets": [
        ("create_budget", {**OURS, "Budget": BUDGET}),
        ("delete_budget", {**OURS, "BudgetName": "monthly"}),
    ],
    "cloudwatch": [("put_metric_alarm", ALARM), ("delete_alarms", {"AlarmNames": ["down"]})],
    "logs": [("create_log_group", GROUP), ("delete_log_group", GROUP)],
}
# Everything of which one is made, in the words of a leftover.
MADE = (
    *("EBS volume", "EC2 instance", "ECR repository", "Elastic IP", "IAM user", "S3 bucket"),
    *("alarm", "budget", "key pair", "log group", "network interface"),
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One account for the tests that only look, or tidy up."""
    with Sandbox.start() as running:
        yield running


def test_importing_it_is_cheap() -> None:
    """Whoever only asks for help loads neither moto nor boto3."""
    heavy = {"boto3", "botocore", "moto", "cryptography", "flask", "rich", "pydantic"}
    code = f"import sys, biomodal_deploy.sandbox; print({heavy} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "set()\n"


def test_it_listens_on_loopback_only(sandbox: Sandbox) -> None:
    """No other machine can reach it."""
    listening = [
        connection.laddr
        for connection in psutil.Process(sandbox.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert [address.ip for address in listening] == ["127.0.0.1"]
    assert sandbox.endpoint == f"http://127.0.0.1:{listening[0].port}"


def test_its_files_are_private(sandbox: Sandbox) -> None:
    """What it writes is for its owner only."""
    assert stat.S_IMODE(sandbox.directory.stat().st_mode) == 0o700
    files = list(sandbox.directory.iterdir())
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_the_network_is_as_documented(sandbox: Sandbox) -> None:
    """A VPC with DNS, public subnets in two zones with a way out, a private one without."""
    ec2, account = sandbox.client("ec2"), sandbox.account
    for attribute in ("enableDnsSupport", "enableDnsHostnames"):
        answer = ec2.describe_vpc_attribute(VpcId=account.vpc_id, Attribute=attribute)
        assert answer[attribute[0].upper() + attribute[1:]]["Value"] is True  # type: ignore[literal-required]
    ids = [*account.subnet_ids, account.private_subnet_id]
    subnets = ec2.describe_subnets(SubnetIds=ids)["Subnets"]
    assert {subnet["VpcId"] for subnet in subnets} == {account.vpc_id}
    public = [subnet for subnet in subnets if subnet["SubnetId"] in account.subnet_ids]
    assert len({subnet["AvailabilityZone"] for subnet in public}) == len(public) == 2
    assert all(subnet["MapPublicIpOnLaunch"] for subnet in public)
    mine = [{"Name": "vpc-id", "Values": [account.vpc_id]}]
    ways_out = {
        association.get("SubnetId")
        for table in ec2.describe_route_tables(Filters=mine)["RouteTables"]  # type: ignore[arg-type]
        if any(route.get("GatewayId", "").startswith("igw-") for route in table["Routes"])
        for association in table["Associations"]
    }
    assert ways_out == set(account.subnet_ids)


def test_the_image_is_canonicals_newest_ubuntu_for_intel(sandbox: Sandbox) -> None:
    """Of two builds, another processor and another release, the right image is taken."""
    (image,) = sandbox.client("ec2").describe_images(ImageIds=[sandbox.account.image_id])["Images"]
    assert re.fullmatch(
        r"ubuntu/images/hvm-ssd/ubuntu-jammy-22\.04-amd64-server-20\d{6}", image["Name"]
    )
    assert image["OwnerId"] == "099720109477"
    assert (image["Architecture"], image["VirtualizationType"]) == ("x86_64", "hvm")
    jammy = [{"Name": "name", "Values": ["*ubuntu-jammy-22.04-amd64*"]}]
    builds = sandbox.client("ec2").describe_images(Filters=jammy)["Images"]  # type: ignore[arg-type]
    assert image["CreationDate"] == max(build["CreationDate"] for build in builds)
    assert len(builds) > 1


def test_the_roles_are_as_the_prerequisites_make_them(sandbox: Sandbox) -> None:
    """Batch's service-linked role by its exact name, and the hosts' role with AWS's policy."""
    iam = sandbox.client("iam")
    assert iam.list_account_aliases()["AccountAliases"] == ["sandbox"]
    role = iam.get_role(RoleName="AWSServiceRoleForBatch")["Role"]
    path = "aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch"
    assert role["Arn"] == f"arn:aws:iam::{sandbox.account_id}:role/{path}"
    profile = iam.get_instance_profile(InstanceProfileName="ecsInstanceRole")["InstanceProfile"]
    assert [each["RoleName"] for each in profile["Roles"]] == ["ecsInstanceRole"]
    attached = iam.list_attached_role_policies(RoleName="ecsInstanceRole")["AttachedPolicies"]
    assert [each["PolicyName"] for each in attached] == ["AmazonEC2ContainerServiceforEC2Role"]


def test_the_tfvars_are_the_documented_variables(sandbox: Sandbox, tmp_path: Path) -> None:
    """The file holds the account's ids and a public key, is private, and overwrites nothing."""
    path = sandbox.write_tfvars(tmp_path / "terraform.tfvars", vm_name="my-vm")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    values = dict(re.findall(r'^(\w+) += "(.*)"$', path.read_text(), re.MULTILINE))
    assert values == sandbox.variables("my-vm")
    assert values["subnet_id"] == sandbox.account.subnet_ids[0]
    assert values["vm_name"] == "my-vm"
    key = load_ssh_public_key(values["ssh_public_key"].encode())
    assert isinstance(key, Ed25519PublicKey)
    with pytest.raises(FileExistsError):
        sandbox.write_tfvars(path)


def test_leftovers_are_what_was_added_and_is_still_there(sandbox: Sandbox) -> None:
    """Everything that someone makes is found, and nothing any more when it is gone."""
    assert sandbox.leftovers() == []
    ec2, s3 = sandbox.client("ec2"), sandbox.client("s3")
    iam, ecr = sandbox.client("iam"), sandbox.client("ecr")
    account = sandbox.account
    subnet = account.subnet_ids[0]
    launched = ec2.run_instances(ImageId=account.image_id, MinCount=1, MaxCount=1, SubnetId=subnet)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.import_key_pair(KeyName="key", PublicKeyMaterial=sandbox.public_key.encode())
    s3.create_bucket(Bucket="data")
    iam.create_user(UserName="me")
    ecr.create_repository(repositoryName="tools")
    for service, ((make, given), _) in EXTRAS.items():
        getattr(sandbox.client(service), make)(**given)
    assert sorted(item.kind for item in sandbox.leftovers()) == [*MADE]
    assert Item("Elastic IP", address) in sandbox.leftovers()
    ec2.terminate_instances(InstanceIds=[launched["Instances"][0]["InstanceId"]])
    ec2.release_address(AllocationId=address)
    ec2.delete_key_pair(KeyName="key")
    s3.delete_bucket(Bucket="data")
    iam.delete_user(UserName="me")
    for service, (_, (remove, given)) in EXTRAS.items():
        getattr(sandbox.client(service), remove)(**given)
    ecr.delete_repository(repositoryName="tools")
    assert sandbox.leftovers() == []


def test_a_gap_of_moto_is_answered_at_once(sandbox: Sandbox) -> None:
    """A call that moto lacks fails in a moment, with its name, and not after ten minutes."""
    ec2 = sandbox.client("ec2")
    started = time.monotonic()
    with pytest.raises(ec2.exceptions.ClientError) as raised:
        ec2.reset_snapshot_attribute(Attribute="createVolumePermission", SnapshotId="snap-1")
    assert raised.value.response["Error"]["Code"] == "SandboxGap"
    assert time.monotonic() - started < 20


def test_an_answer_comes_in_one_piece(sandbox: Sandbox) -> None:
    """No client can go away between headers and body, and ask for the same thing once more."""
    host, _, port = sandbox.endpoint.removeprefix("http://").partition(":")
    body = b"Action=DescribeRegions&Version=2016-11-15"
    request = (
        b"POST / HTTP/1.1\r\nHost: sandbox\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n"
        b"Authorization: AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/ec2/aws4_request\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    for _ in range(20):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(request)
            assert b"</DescribeRegionsResponse>" in connection.recv(1 << 20)


def test_two_accounts_at_once_know_nothing_of_each_other(sandbox: Sandbox, tmp_path: Path) -> None:
    """A second one, in another region and account, has its own port, network and folder."""
    with Sandbox.start(tmp_path, region="eu-west-2", account_id="210987654321") as other:
        other.client("s3").create_bucket(
            Bucket="theirs", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"}
        )
        assert other.endpoint != sandbox.endpoint
        assert other.client("sts").get_caller_identity()["Account"] == "210987654321"
        subnets = other.client("ec2").describe_subnets(SubnetIds=list(other.account.subnet_ids))
        zones = {subnet["AvailabilityZone"] for subnet in subnets["Subnets"]}
        assert zones == {"eu-west-2a", "eu-west-2b"}
        assert other.leftovers() == [Item("S3 bucket", "theirs")]
        assert sandbox.leftovers() == []
        assert other.directory.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    """A region that does not exist ends in one line, and leaves no process and no file."""
    with pytest.raises(EngineError, match="xx-nowhere-1"):
        Sandbox.start(tmp_path, region="xx-nowhere-1")
    assert list(tmp_path.iterdir()) == []
    assert not [child for child in psutil.Process().children() if child.status() == "zombie"]
