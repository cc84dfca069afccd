"""The native stack's whole life with plain Terraform: plan file, apply, second plan, destroy.

One apply serves all tests here, since the AWS provider waits almost a minute for the bucket's
lifecycle configuration. Tests are in the order of that life. That a second plan right after the
apply says no changes is test_workflow_sandbox.py's.
"""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from biomodal_deploy.config.contract import OUTPUTS
from biomodal_deploy.sandbox import Sandbox
from tests.support.native import NativeProject, changes, native_project, resources

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("native-lifecycle")]

VM: Final = "engine-vm"
EXISTING: Final = "s3://my-existing-bucket"
# The sandbox's account is Canonical's own, so that a test can publish a newer Ubuntu image in it.
CANONICAL: Final = "099720109477"
BUCKET: Final = {
    "aws_s3_bucket.data_bucket[0]",
    "aws_s3_bucket_lifecycle_configuration.data_bucket[0]",
    "aws_s3_bucket_public_access_block.data_bucket[0]",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeProject]:
    """A checkout with an account of its own, initialized; the public key lies in `~/.ssh`."""
    workdir = tmp_path_factory.mktemp("native")
    with (
        Sandbox.start(workdir, account_id=CANONICAL) as sandbox,
        native_project(workdir, sandbox, vm_name=VM, key_file=True) as project,
    ):
        project.init()
        yield project


@pytest.fixture(scope="module")
def planned(project: NativeProject) -> dict[str, Any]:
    """The plan file of a new environment, as data."""
    return project.plan()


@pytest.fixture(scope="module")
def another(project: NativeProject) -> dict[str, Any]:
    """A plan with a bucket that exists, and with another user of the VM."""
    given = (f"-var=use_existing_bucket_url={EXISTING}", "-var=ssh_user=ec2-user")
    return project.plan(*given, out="another")


@pytest.fixture(scope="module")
def applied(project: NativeProject, planned: dict[str, Any]) -> dict[str, Any]:
    """The outputs after exactly that plan file was applied."""
    project.terraform.must(project.stack, "apply", "-input=false", "tfplan")
    return project.outputs()


@dataclass(frozen=True)
class Destroyed:
    """A destroy plan as data, and what its apply reported."""

    plan: dict[str, Any]
    events: list[dict[str, Any]]

    def moment(self, kind: str, address: str) -> int:
        """Return when something was reported for a resource, as a position in the report."""
        return next(
            at
            for at, event in enumerate(self.events)
            if event["type"] == kind and event["hook"]["resource"]["addr"] == address
        )


@pytest.fixture(scope="module")
def destroyed(project: NativeProject, applied: dict[str, Any]) -> Destroyed:
    """A destroy plan, and its apply."""
    plan = project.plan("-destroy", out="destroyplan")
    printed = project.terraform.must(project.stack, "apply", "-json", "-input=false", "destroyplan")
    return Destroyed(plan, [json.loads(line) for line in printed.splitlines()])


def _readable(project: NativeProject, plan: dict[str, Any]) -> dict[str, Any]:
    """Return what a plan makes, with the account's random ids and the script left out."""
    account = project.sandbox.account
    text = json.dumps(resources(plan))
    for value, name in (
        (account.vpc_id, "VPC"),
        (account.subnet_ids[0], "SUBNET"),
        (project.sandbox.public_key, "PUBLIC KEY"),
    ):
        text = text.replace(value, name)
    made: dict[str, Any] = json.loads(text)
    made["aws_instance.vm"]["user_data_base64"] = "INSTALL SCRIPT"
    policy = made["aws_iam_role_policy.vm_role"]
    policy["policy"] = json.loads(policy["policy"])
    return made


def test_a_new_environment(
    project: NativeProject, planned: dict[str, Any], snapshot: SnapshotAssertion
) -> None:
    """Everything is created, nothing else is touched, and a new bucket is part of it."""
    assert set(map(tuple, changes(planned).values())) == {("create",)}
    assert set(changes(planned)) >= BUCKET
    assert _readable(project, planned) == snapshot(extension_class=JSONSnapshotExtension)


def test_an_existing_bucket(
    project: NativeProject,
    planned: dict[str, Any],
    another: dict[str, Any],
    snapshot: SnapshotAssertion,
) -> None:
    """No bucket is made, the VM may use the given one, and all else stays as it is."""
    assert set(changes(planned)) - set(changes(another)) == BUCKET
    assert set(changes(another)) < set(changes(planned))
    policy = json.loads(resources(another)["aws_iam_role_policy.vm_role"]["policy"])
    (bucket,) = [each for each in policy["Statement"] if each["Sid"] == "DataBucket"]
    arn = "arn:aws:s3:::my-existing-bucket"
    assert set(bucket["Resource"]) == {arn, f"{arn}/*"}
    assert another["planned_values"]["outputs"]["bucket_url"]["value"] == EXISTING
    assert _readable(project, another) == snapshot(extension_class=JSONSnapshotExtension)


def test_the_vm_gets_the_script_for_its_user(
    project: NativeProject, planned: dict[str, Any], another: dict[str, Any]
) -> None:
    """The user data is the script, with `ssh_user` in the default user's place."""
    script = (project.folder / "scripts" / "install_script.sh").read_text()
    data = {
        user: base64.b64decode(resources(each)["aws_instance.vm"]["user_data_base64"]).decode()
        for user, each in {"ubuntu": planned, "ec2-user": another}.items()
    }
    assert data["ubuntu"] == script
    assert data["ec2-user"] == script.replace("${SSH_USER:-ubuntu}", "${SSH_USER:-ec2-user}")


def test_terraform_itself_refuses_wrong_values(project: NativeProject) -> None:
    """Also where nobody runs our tools: the rule's own sentence, before anything is read."""
    done = project.terraform(
        project.stack,
        *("plan", "-input=false", "-no-color", "-var-file=terraform.tfvars"),
        *("-var=vm_name=Wrong.Name", "-var=instance_type=t4g.large"),
    )
    said = " ".join(done.stderr.split())
    assert done.returncode == 1
    assert "Amazon S3 bucket names hold only lower-case letters" in said
    assert "Graviton" in said


def test_the_documented_outputs(project: NativeProject, applied: dict[str, Any]) -> None:
    """Document section "Terraform Outputs": the seven, in their shapes."""
    assert set(applied) == set(OUTPUTS)
    assert applied["bucket_url"] == f"s3://{VM}"
    assert applied["docker_repo_url"] == f"{CANONICAL}.dkr.ecr.us-east-1.amazonaws.com"
    home = project.terraform.variables["HOME"]
    assert applied["private_key_filename"] == f"{home}/.ssh/{VM}.pem"
    assert applied["ssh_user"] == "ubuntu"
    assert applied["vm_name"] == VM
    ec2 = project.sandbox.client("ec2")
    (address,) = ec2.describe_addresses()["Addresses"]
    assert applied["public_ip"] == address["PublicIp"]
    (reservation,) = ec2.describe_instances()["Reservations"]
    assert applied["private_ip"] == reservation["Instances"][0]["PrivateIpAddress"]


def test_what_stands_in_the_account(project: NativeProject, applied: dict[str, Any]) -> None:
    """The VM, its tags, its address and its permissions, as AWS reports them."""
    ec2 = project.sandbox.client("ec2")
    vm = ec2.describe_instances()["Reservations"][0]["Instances"][0]
    tags = {tag["Key"]: tag["Value"] for tag in vm["Tags"]}
    assert tags == {"Name": VM, "environment": "development", "biomodal-deployment": VM}
    assert vm["ImageId"] == project.sandbox.account.image_id
    assert vm["InstanceType"] == "t3.large"
    assert vm["KeyName"] == VM
    assert vm["IamInstanceProfile"]["Arn"].endswith(f":instance-profile/{VM}")
    iam = project.sandbox.client("iam")
    policy = iam.get_role_policy(RoleName=VM, PolicyName=VM)["PolicyDocument"]
    assert {each["Sid"] for each in policy["Statement"]} == {  # type: ignore[index]
        "BatchJobs",
        "DataBucket",
        "DescribeHosts",
        "Images",
    }
    batch = project.sandbox.client("batch")
    (environment,) = batch.describe_compute_environments()["computeEnvironments"]
    assert environment["computeEnvironmentName"] == VM
    (queue,) = batch.describe_job_queues()["jobQueues"]
    assert queue["jobQueueName"] == f"{VM}-job-queue"
    assert (
        queue["computeEnvironmentOrder"][0]["computeEnvironment"]
        == (environment["computeEnvironmentArn"])
    )


def test_no_private_key_in_state_or_plan(
    project: NativeProject, planned: dict[str, Any], applied: dict[str, Any]
) -> None:
    """Only the public half ever reaches Terraform."""
    for text in (project.state.read_text(), json.dumps(planned)):
        assert "PRIVATE KEY" not in text
        assert project.sandbox.public_key in text


def test_state_lies_outside_the_output_folder(
    project: NativeProject, applied: dict[str, Any]
) -> None:
    """Throwing the synthesized folder away loses nothing."""
    assert stat.S_ISREG(project.state.stat().st_mode)
    left = [
        path
        for path in (project.folder / "cdktf.out").rglob("*.tfstate")
        # There Terraform notes the backend, not the resources.
        if ".terraform" not in path.parts
    ]
    assert left == []


def test_a_newer_image_and_an_edited_script_leave_the_vm_alone(
    project: NativeProject, applied: dict[str, Any]
) -> None:
    """Ubuntu publishes every few weeks; that must not replace a VM that somebody works on."""
    newest = project.sandbox.client("ec2").copy_image(
        Name="ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-29990101",
        SourceImageId=project.sandbox.account.image_id,
        SourceRegion="us-east-1",
    )["ImageId"]
    with (project.folder / "scripts" / "install_script.sh").open("a") as script:
        script.write("echo edited\n")
    project.synthesize()
    plan = project.plan(out="later")
    (ubuntu,) = [
        each
        for each in plan["prior_state"]["values"]["root_module"]["resources"]
        if each["address"] == "data.aws_ami.ubuntu"
    ]
    assert ubuntu["values"]["id"] == newest
    assert changes(plan) == {}


def test_the_vm_is_replaced_on_request(project: NativeProject, applied: dict[str, Any]) -> None:
    """Then the newer image and the edited script are taken up."""
    plan = project.plan("-replace=aws_instance.vm", out="replacement")
    assert changes(plan)["aws_instance.vm"] in (["delete", "create"], ["create", "delete"])
    vm = resources(plan)["aws_instance.vm"]
    assert vm["ami"] != project.sandbox.account.image_id
    assert base64.b64decode(vm["user_data_base64"]).endswith(b"echo edited\n")


def test_the_destroy_plan_deletes_all_and_changes_nothing(
    planned: dict[str, Any], destroyed: Destroyed
) -> None:
    """What was created is deleted, by the same addresses."""
    assert set(map(tuple, changes(destroyed.plan).values())) == {("delete",)}
    assert set(changes(destroyed.plan)) == set(changes(planned))


def test_the_queue_goes_before_its_compute_environment(destroyed: Destroyed) -> None:
    """Batch deletes no environment that a queue names."""
    queue = destroyed.moment("apply_complete", "aws_batch_job_queue.job_queue")
    assert queue < destroyed.moment("apply_start", "aws_batch_compute_environment.batch")


def test_nothing_is_left(project: NativeProject, destroyed: Destroyed) -> None:
    """The account holds what it held before, and the state holds nothing."""
    left = project.sandbox.leftovers()
    # The image that a test published, and its snapshot, are not the stack's.
    assert sorted(item.kind for item in left) == ["EBS snapshot", "machine image"], left
    assert json.loads(project.state.read_text())["resources"] == []
