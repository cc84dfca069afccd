"""Every replacement that a variable of the native stacks forces, planned, and applied at once.

What forces one is the provider's word: a plan's `replace_paths`. The region is left out: the stack
of another region is another one, and `plan` refuses to go there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest

from biomodal_deploy.config.contract import variables_of
from biomodal_deploy.plan import read_plan
from biomodal_deploy.review.report import Report
from biomodal_deploy.sandbox import Sandbox
from tests.support.native import NativeProject, apply, apply_at_once, native_project, settled
from tests.support.reports import report

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("forced-replacements")]

ACCOUNT: Final = "123456789012"
KEY: Final = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMUsRSbLUeRovMGBd2eBlEUyKyCrUFOhTQjNqOyCRLFd"
# Kinds of which nothing is lost but a setting that is written again.
SETTINGS: Final = ("rule", "_policy", "_attachment", "_alarm")

# Everything that a variable can add is there from the start, so that it is replaced as well.
BASE: Final[Mapping[str, Mapping[str, Any]]] = {
    "documented": {},
    "hardened": {
        "ssh_cidr_blocks": ["192.0.2.0/24"],
        "log_retention_days": 30,
        "alarm_topic_arn": f"arn:aws:sns:us-east-1:{ACCOUNT}:pager",
        "monthly_budget_usd": 100,
        "budget_email": "ada@example.com",
    },
}
# Variables that force nothing, with another value each.
QUIET: Final[Mapping[str, Mapping[str, Any]]] = {
    "documented": {
        "instance_type": "t3.xlarge",
        "tag_key": "team",
        "tag_value": "blue",
        "use_existing_bucket_url": "s3://lab-data-2",
        "bucket_force_destroy": True,
        "ssh_user": "admin",
        "vm_volume_gib": 120,
    },
    "hardened": {
        "ssh_cidr_blocks": ["198.51.100.0/24"],
        "termination_protection": False,
        "ami_id": "ami-0123456789abcdef0",
        "elastic_ip": False,
        "permissions_boundary_arn": f"arn:aws:iam::{ACCOUNT}:policy/boundary",
        "batch_subnet_ids": ["another", "subnet"],
        "batch_instance_types": ["m6i"],
        "batch_max_vcpus": 128,
        "batch_volume_gib": 600,
        "batch_stuck_minutes": 90,
        "work_expiry_days": 10,
        "noncurrent_expiry_days": 10,
        "access_log_bucket": "lab-logs",
        "log_retention_days": 60,
        "alarm_topic_arn": f"arn:aws:sns:us-east-1:{ACCOUNT}:another",
        "monthly_budget_usd": 200,
        "budget_email": "grace@example.com",
    },
}
VM: Final = {"aws_instance.vm"}
IMAGES: Final = "aws_ecr_lifecycle_policy.image_retention"
KEY_PAIR: Final = {"documented": "aws_key_pair.ssh_key", "hardened": "aws_key_pair.ssh_key[0]"}
ROLES: Final = {
    f"aws_iam_{kind}.{role}_role{more}"
    for role in ("vm", "batch_host")
    for kind, more in (("instance_profile", ""), ("role", ""), ("role_policy", ""))
} | {
    "aws_iam_role_policy_attachment.batch_host_role_ecs",
    "aws_iam_role_policy_attachment.vm_role_session_manager",
}
# What is named after the VM.
NAMED: Final = {
    "aws_batch_compute_environment.batch",
    "aws_batch_job_queue.job_queue",
    "aws_ecr_repository.image_repository",
    "aws_iam_role.vm_role",
    "aws_launch_template.batch",
    "aws_security_group.ssh",
}
PREFIXED: Final = {"iam_name_prefix": "lab-", "untagged_image_days": 7}


@dataclass
class Walk:
    """An applied stack, and the values that it has."""

    profile: str
    project: NativeProject
    values: dict[str, Any]

    def plan(self, **changed: Any) -> dict[str, Any]:
        """Plan with other values."""
        self.write(**changed)
        return self.project.plan(out="next")

    def write(self, **changed: Any) -> None:
        """Write the values, and other ones."""
        lines = (
            f"{name} = {json.dumps(each)}" for name, each in {**self.values, **changed}.items()
        )
        (self.project.stack / "terraform.tfvars").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module", params=["documented", "hardened"])
def walk(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Walk]:
    """A stack with a bucket that exists: the provider waits long for the settings of a new one."""
    profile = request.param
    workdir = tmp_path_factory.mktemp(profile)
    with (
        Sandbox.start(workdir) as sandbox,
        native_project(workdir, sandbox, vm_name="engine-vm", profile=profile) as project,
    ):
        for bucket in ("lab-data", "lab-data-2", "lab-logs"):
            sandbox.client("s3").create_bucket(Bucket=bucket)
        account = sandbox.account
        values = {
            "region": account.region,
            "vpc_id": account.vpc_id,
            "subnet_id": account.subnet_ids[0],
            "vm_name": "engine-vm",
            "ssh_public_key": sandbox.public_key,
            "use_existing_bucket_url": "s3://lab-data",
            **BASE[profile],
        }
        made = Walk(profile, project, values)
        project.init()
        made.write()
        apply_at_once(project)
        yield made


def acting(plan: Mapping[str, Any], action: str) -> set[str]:
    """Return the addresses of what a plan replaces (`create` beside `delete`) or only deletes."""
    return {
        each["address"]
        for each in plan["resource_changes"]
        if "delete" in each["change"]["actions"]
        and ("create" in each["change"]["actions"]) is (action == "replace")
    }


def replaced(walk: Walk, **changed: Any) -> tuple[set[str], Report]:
    """Plan other values and read the report; return what is replaced, and the report."""
    plan = walk.plan(**changed)
    replaced = acting(plan, "replace")
    told = report(read_plan(json.dumps(plan).encode())[0])
    losses = {each.address: each for each in told.losses}
    assert set(losses) == replaced | acting(plan, "delete")
    for address, entry in losses.items():
        assert entry.cause, address
        kind = address.partition(".")[0]
        assert entry.lost or kind.endswith(SETTINGS), address
    return replaced, told


def test_every_variable_is_walked(walk: Walk) -> None:
    """A variable that is added later has to be placed here."""
    quiet = set(QUIET["documented"]) | set(QUIET[walk.profile])
    forcing = {"vm_name", "ssh_public_key", "subnet_id", "vpc_id", "region"}
    if walk.profile == "hardened":
        forcing |= {"iam_name_prefix", "untagged_image_days"}
    assert not quiet & forcing
    assert quiet | forcing == {each.name for each in variables_of("native", walk.profile)}


def test_the_others_force_nothing(walk: Walk) -> None:
    """All of them changed at once: updates, additions, and what is switched off."""
    quiet = {**QUIET["documented"], **QUIET[walk.profile]}
    if "batch_subnet_ids" in quiet:
        quiet["batch_subnet_ids"] = list(walk.project.sandbox.account.subnet_ids)
    assert acting(walk.plan(**quiet), "replace") == set()


@pytest.fixture(scope="module")
def elsewhere(walk: Walk) -> dict[str, Any]:
    """Another network in the same region."""
    ec2 = walk.project.sandbox.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.30.0.0/20")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    return {"vpc_id": vpc, "subnet_id": subnet}


def test_another_vpc_and_key(walk: Walk, elsewhere: dict[str, Any]) -> None:
    """The VM, as with another subnet alone, both groups with their rules, and the key pair."""
    subnet = walk.project.sandbox.account.subnet_ids[1]
    assert acting(walk.plan(subnet_id=subnet), "replace") == VM
    found, _ = replaced(walk, **elsewhere, ssh_public_key=KEY)
    groups = {"aws_security_group.batch_hosts", "aws_security_group.ssh"}
    expected = VM | groups | {KEY_PAIR[walk.profile]}
    assert {each for each in found if "_rule." not in each} == expected


def test_another_prefix_of_roles_and_fewer_days_of_images(walk: Walk) -> None:
    """Roles and what hangs on them; and the rule that deletes images, which says so."""
    if walk.profile == "documented":
        pytest.skip("variables of the hardened profile")
    found, told = replaced(walk, **PREFIXED)
    assert found == ROLES | {IMAGES}
    assert [each.address for each in told.notices if "images without a tag" in each.message] == [
        IMAGES
    ]


def test_another_name(walk: Walk) -> None:
    """Nearly everything; the hardened VM stays."""
    found, _ = replaced(walk, vm_name="other-vm")
    assert (found >= VM) is (walk.profile == "documented")
    assert found >= {*NAMED, KEY_PAIR[walk.profile]}


def test_all_of_them_at_once(walk: Walk, elsewhere: dict[str, Any]) -> None:
    """Whatever can force a replacement does, in one apply that settles."""
    more = PREFIXED if walk.profile == "hardened" else {}
    changed = {**elsewhere, **more, "ssh_public_key": KEY, "vm_name": "other-vm"}
    found, _ = replaced(walk, **changed)
    assert found >= {*VM, *NAMED, KEY_PAIR[walk.profile]}
    apply(walk.project, "next")
    assert settled(walk.project)
