"""The hardened profile's life on real Terraform: apply, second plan, update, destroy.

One apply serves all tests here, in the order of that life.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

import pytest

from biomodal_deploy.sandbox import Sandbox
from tests.support.hardened import PLAN, apply, profile_project, settled
from tests.support.native import NativeProject, changes

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("hardened-lifecycle")]

VM: Final = "engine-vm"
# Everything that is off by default, and one change of each kind.
UPDATE: Final = (
    "-var=log_retention_days=30",
    "-var=alarm_topic_arn=arn:aws:sns:us-east-1:123456789012:pager",
    "-var=monthly_budget_usd=100",
    "-var=budget_email=lab@example.org",
    '-var=ssh_cidr_blocks=["192.0.2.0/24","2001:db8::/32"]',
    "-var=batch_volume_gib=200",
    "-var=batch_max_vcpus=64",
    "-var=vm_volume_gib=120",
    "-var=access_log_bucket=lab-logs",
)

# What S3 asks of a bucket that receives access logs.
LOG_DELIVERY: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": ["s3:PutObject"],
            "Resource": "arn:aws:s3:::lab-logs/*",
        }
    ],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeProject]:
    """A hardened deployment, applied."""
    workdir = tmp_path_factory.mktemp("hardened")
    with (
        Sandbox.start(workdir) as sandbox,
        profile_project(workdir, sandbox, vm_name=VM) as project,
    ):
        project.init()
        project.plan()
        apply(project, "tfplan")
        yield project


@pytest.fixture(scope="module")
def updated(project: NativeProject) -> dict[str, list[str]]:
    """What the update changed, after its apply."""
    s3 = project.sandbox.client("s3")
    s3.create_bucket(Bucket="lab-logs")
    s3.put_bucket_policy(Bucket="lab-logs", Policy=json.dumps(LOG_DELIVERY))
    plan = project.plan(*UPDATE, out="update")
    apply(project, "update")
    return changes(plan)


def test_a_second_plan_says_no_changes(project: NativeProject) -> None:
    """Right after an apply there is nothing left to do."""
    assert settled(project)


def test_what_stands_in_the_account(project: NativeProject) -> None:
    """As AWS reports it: closed, encrypted, tagged, protected, with roles of its own."""
    ec2, s3 = project.sandbox.client("ec2"), project.sandbox.client("s3")
    (vm,) = ec2.describe_instances()["Reservations"][0]["Instances"]
    assert vm["MetadataOptions"]["HttpTokens"] == "required"
    assert vm["MetadataOptions"]["HttpPutResponseHopLimit"] == 2
    protected = ec2.describe_instance_attribute(
        InstanceId=vm["InstanceId"], Attribute="disableApiTermination"
    )
    assert protected["DisableApiTermination"]["Value"] is True
    (volume,) = ec2.describe_volumes()["Volumes"]
    assert (volume["VolumeType"], volume["Encrypted"]) == ("gp3", True)
    assert {tag["Key"]: tag["Value"] for tag in volume["Tags"]} == {
        "Name": VM,
        "environment": "development",
    }
    made = [
        group
        for group in ec2.describe_security_groups()["SecurityGroups"]
        if group["GroupName"].startswith(VM)
    ]
    assert len(made) == 2
    assert [group["IpPermissions"] for group in made] == [[], []]
    policy = json.loads(s3.get_bucket_policy(Bucket=VM)["Policy"])
    assert policy["Statement"][0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert s3.get_bucket_versioning(Bucket=VM)["Status"] == "Enabled"
    rules = s3.get_bucket_lifecycle_configuration(Bucket=VM)["Rules"]
    assert {rule["ID"] for rule in rules} == {"nf-work", "former-versions", "stale-uploads"}
    (repository,) = project.sandbox.client("ecr").describe_repositories()["repositories"]
    assert repository["imageTagMutability"] == "IMMUTABLE"
    iam = project.sandbox.client("iam")
    attached = iam.list_attached_role_policies(RoleName=VM)["AttachedPolicies"]
    assert [each["PolicyName"] for each in attached] == ["AmazonSSMManagedInstanceCore"]


def test_a_role_of_the_hosts_own(project: NativeProject) -> None:
    """Both environments use it, and the shared ecsInstanceRole is nowhere."""
    batch = project.sandbox.client("batch")
    environments = batch.describe_compute_environments()["computeEnvironments"]
    assert len(environments) == 2
    for each in environments:
        used = each["computeResources"]["instanceRole"]
        assert used.endswith(f":instance-profile/{VM}-batch-host")
    queues = {queue["jobQueueName"] for queue in batch.describe_job_queues()["jobQueues"]}
    assert queues == {f"{VM}-job-queue", f"{VM}-job-queue-on-demand"}


def test_wrong_values_are_refused_by_terraform_itself(project: NativeProject) -> None:
    """Also where nobody runs our tools."""
    done = project.terraform(
        project.stack, *PLAN, '-var=ssh_cidr_blocks=["0.0.0.0/0"]', "-var=batch_volume_gib=8"
    )
    said = " ".join(done.stderr.replace("│", "").split())
    assert done.returncode == 1
    assert "Port 22 is not opened to everyone" in said
    assert "30 to 16384 GiB" in said


def test_an_update_replaces_nothing(project: NativeProject, updated: dict[str, list[str]]) -> None:
    """A new template, more options, SSH from two networks: in place, and settled afterwards."""
    assert {tuple(actions) for actions in updated.values()} == {("create",), ("update",)}
    assert updated["aws_batch_compute_environment.batch"] == ["update"]
    assert updated["aws_batch_compute_environment.batch_on_demand"] == ["update"]
    assert updated["aws_instance.vm"] == ["update"]
    assert settled(project, *UPDATE)


def test_destroy_leaves_nothing(project: NativeProject, updated: dict[str, list[str]]) -> None:
    """The protection of the VM included, and the logs' bucket, which is not the stack's, stays."""
    plan = project.plan("-destroy", *UPDATE, out="destroyplan")
    assert set(map(tuple, changes(plan).values())) == {("delete",)}
    apply(project, "destroyplan")
    assert [item.identifier for item in project.sandbox.leftovers()] == ["lab-logs"]
    assert json.loads(project.state.read_text())["resources"] == []
