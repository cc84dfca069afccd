"""The hardened profile's life on real Terraform: apply, second plan, updates, destroy.

One apply serves all tests here, in the order of that life. Who deploys is a user who holds the
compiled policy of each command and nothing else, and the account records every call.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.iam.catalog import LIFE_CYCLE, Phase
from tests.support.authority.record import read_record
from tests.support.authority.sandbox import judged_sandbox
from tests.support.life import Document, Life
from tests.support.native import PLAN, NativeProject, changes, native_project, settled
from tests.support.proof import Proof, documented_grants, ignored

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("hardened-lifecycle")]

VM: Final = "engine-vm"
PLANS, APPLY, UPDATE, DESTROY = LIFE_CYCLE
# Kinds that are there only where an option asks for them.
OPTIONAL: Final = ("aws_budgets_budget", "aws_cloudwatch_log_group", "aws_cloudwatch_metric_alarm")
# Everything that is off by default, and one change of each kind.
OPTIONS: Final = {
    "log_retention_days": 30,
    "alarm_topic_arn": "arn:aws:sns:us-east-1:123456789012:pager",
    "monthly_budget_usd": 100,
    "budget_email": "lab@example.org",
    "ssh_cidr_blocks": ["192.0.2.0/24", "2001:db8::/32"],
    "batch_volume_gib": 200,
    "batch_max_vcpus": 64,
    "vm_volume_gib": 120,
    "access_log_bucket": "lab-logs",
}
# All of that once more, and what the profile does not leave to a variable.
OTHERS: Final = {
    "log_retention_days": 60,
    "alarm_topic_arn": "arn:aws:sns:us-east-1:123456789012:other",
    "monthly_budget_usd": 200,
    "batch_volume_gib": 300,
    "permissions_boundary_arn": "arn:aws:iam::123456789012:policy/boundary",
    "tag_value": "production",
    "termination_protection": False,
    "untagged_image_days": 7,
}

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


@dataclass(frozen=True)
class Deployed:
    """The stack, whoever looks at it, and the life that its deployer has given it."""

    project: NativeProject
    life: Life
    record: Path


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """A hardened stack, applied."""
    workdir = tmp_path_factory.mktemp("hardened")
    record = workdir / "record.jsonl"
    with (
        judged_sandbox(workdir, record=record) as sandbox,
        native_project(workdir, sandbox, vm_name=VM, profile="hardened") as project,
    ):
        # The outputs name a file in the home: the owner's plans are to find it the same.
        values: dict[str, Any] = {**sandbox.variables(VM)}
        home = Path(project.terraform.variables["HOME"])
        life = Life("deployer", sandbox, project.stack, workdir, values, home=home)
        life.init()
        life.must("plan", PLANS, "plan", "-out=tfplan")
        life.must("apply", APPLY, "apply", "tfplan")
        yield Deployed(project, life, record)


@pytest.fixture(scope="module")
def project(deployed: Deployed) -> NativeProject:
    """The stack as the account's owner sees it."""
    return deployed.project


@pytest.fixture(scope="module")
def updated(deployed: Deployed) -> dict[str, list[str]]:
    """What the first update changed, after its apply."""
    s3 = deployed.project.sandbox.client("s3")
    s3.create_bucket(Bucket="lab-logs")
    s3.put_bucket_policy(Bucket="lab-logs", Policy=json.dumps(LOG_DELIVERY))
    deployed.life.values |= OPTIONS
    deployed.life.edit(_one_tag_more)
    return _update(deployed, "update", APPLY, UPDATE)


@pytest.fixture(scope="module")
def changed(deployed: Deployed, updated: dict[str, list[str]]) -> dict[str, list[str]]:
    """What the second update changed, after its apply."""
    iam = deployed.project.sandbox.client("iam")
    iam.create_policy(PolicyName="boundary", PolicyDocument=json.dumps(LOG_DELIVERY))
    deployed.life.values |= OTHERS
    deployed.life.edit(_other_constants)
    return _update(deployed, "change", UPDATE, APPLY, DESTROY)


def _update(deployed: Deployed, name: str, *phases: Phase) -> dict[str, list[str]]:
    deployed.life.must(f"{name}-plan", PLANS, "plan", f"-out={name}")
    plan = deployed.project.show(name)
    deployed.life.must_all(name, phases, "apply", name)
    return changes(plan)


def _one_tag_more(document: Document) -> None:
    for kind in OPTIONAL:
        for body in document["resource"][kind].values():
            body["tags"] = {"extra": "yes"}


def _other_constants(document: Document) -> None:
    of = document["resource"]
    for kind in OPTIONAL:
        for body in of[kind].values():
            del body["tags"]
    of["aws_instance"]["vm"]["root_block_device"]["tags"]["extra"] = "yes"
    of["aws_ecr_repository"]["image_repository"] |= {
        "image_tag_mutability": "MUTABLE",
        "image_scanning_configuration": {"scan_on_push": False},
    }
    protection = "data_bucket_protection"
    [rule] = of["aws_s3_bucket_server_side_encryption_configuration"][protection]["rule"]
    rule["bucket_key_enabled"] = True
    of["aws_s3_bucket_versioning"][protection]["versioning_configuration"]["status"] = "Suspended"
    of["aws_s3_bucket_logging"][protection]["target_prefix"] = "other/"
    [statement] = document["data"]["aws_iam_policy_document"][protection]["statement"]
    statement["sid"] = "Other"


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
        "biomodal-deployment": VM,
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
    assert settled(project)


def test_options_are_changed_in_place(changed: dict[str, list[str]]) -> None:
    """Another value of each, another tag, and what no variable steers."""
    replaced = [address for address, actions in changed.items() if actions != ["update"]]
    # ECR keeps one such policy for a repository: the provider deletes it and puts the new one.
    assert replaced == ["aws_ecr_lifecycle_policy.image_retention"]


@pytest.fixture(scope="module")
def destroyed(deployed: Deployed, changed: dict[str, list[str]]) -> dict[str, list[str]]:
    """What the destroy plan deleted, after its apply."""
    deployed.life.must("destroy-plan", PLANS, "plan", "-destroy", "-out=destroyplan")
    plan = deployed.project.show("destroyplan")
    deployed.life.must("destroy", DESTROY, "apply", "destroyplan")
    return changes(plan)


def test_destroy_leaves_nothing(project: NativeProject, destroyed: dict[str, list[str]]) -> None:
    """The protection of the VM included, and the logs' bucket, which is not the stack's, stays."""
    assert set(map(tuple, destroyed.values())) == {("delete",)}
    left = {item.identifier for item in project.sandbox.leftovers()}
    assert left - {"boundary", "deployer"} == {"lab-logs"}
    assert json.loads(project.state.read_text())["resources"] == []


@pytest.fixture(scope="module")
def proof(deployed: Deployed, destroyed: dict[str, list[str]]) -> Proof:
    """The whole life beside the record of all calls."""
    return Proof([deployed.life], read_record(deployed.record))


def test_the_compiled_policies_suffice(proof: Proof) -> None:
    """Every command succeeded with the policy of its phase; only what is ignored was refused."""
    assert proof.refused() <= ignored()


def test_every_call_is_in_the_catalog(proof: Proof) -> None:
    """What Terraform did for a kind of resource in a phase is what the catalog says of it."""
    assert proof.unexpected() == set()


def test_nothing_is_granted_that_is_not_needed(proof: Proof) -> None:
    """Each grant that the documented stacks have no use for is seen at work, or excused."""
    elsewhere = documented_grants()
    idle = {grant for grant, at_work in proof.at_work().items() if not at_work}
    assert idle - elsewhere == proof.excused() - elsewhere
