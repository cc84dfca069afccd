"""Plans that AWS would refuse are refused before, on real Terraform and an account on loopback.

Tests are in the order of the stack's life: names that are taken, a first apply, a disk that
somebody grew.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS, EXIT_GUARD, EXIT_USAGE
from biomodal_deploy.sandbox import Sandbox
from tests.support.checkout import Checkout, environment_of
from tests.support.project import copy_app, write_stacks
from tests.support.terraform import require_provider

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("impossible")]

STACK: Final = "native"
VM: Final = "engine-vm"
DATA: Final = "lab-data"
NOTHING: Final[dict[str, set[str]]] = {"refused": set(), "allowed": set()}
TRUST: Final = '{"Version": "2012-10-17", "Statement": []}'


class Lab(Checkout):
    """A checkout with one native stack, and an account on loopback."""

    def plan(self, *words: str) -> dict[str, set[str]]:
        """Make a plan; return the checks that refuse it, and those that are allowed."""
        ended = self.run("plan", "--output", "json", *words)
        found: dict[str, set[str]] = {"refused": set(), "allowed": set()}
        for verdict in ended.data["verdicts"]:
            if verdict["outcome"] in found:
                found[verdict["outcome"]].add(verdict["rule"])
        assert bool(found["refused"]) is (ended.status == EXIT_GUARD), ended.out + ended.err
        return found


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A checkout, nothing deployed yet; its bucket exists, so that nothing waits for a new one."""
    require_provider()
    workdir = tmp_path_factory.mktemp("impossible")
    folder = copy_app(workdir / "checkout")
    write_stacks(folder, {STACK: {"bootstrap": "native"}})
    variables = environment_of(folder, workdir / "home")
    with Sandbox.start(workdir) as sandbox:
        sandbox.client("s3").create_bucket(Bucket=DATA)
        values = folder / "terraform.tfvars"
        sandbox.write_tfvars(values, vm_name=VM)
        values.write_text(f'{values.read_text()}use_existing_bucket_url = "s3://{DATA}"\n')
        yield Lab(folder, sandbox, sandbox.environment(variables))


def test_a_missing_public_key_is_one_line_before_terraform(lab: Lab) -> None:
    """With the command that makes it."""
    ended = lab.run("plan", "--var", "ssh_public_key=", status=EXIT_USAGE)
    assert f"biomodal-aws keygen {VM}" in ended.err
    assert "Initializing" not in ended.err


@contextmanager
def taken(sandbox: Sandbox) -> Iterator[None]:
    """Hold the names that the stack wants, and every Elastic IP that the account may have."""
    ec2: Any = sandbox.client("ec2")
    iam, ecr = sandbox.client("iam"), sandbox.client("ecr")
    ec2.create_key_pair(KeyName=VM)
    iam.create_role(RoleName=VM, AssumeRolePolicyDocument=TRUST)
    ecr.create_repository(repositoryName=VM)
    addresses = [ec2.allocate_address(Domain="vpc")["AllocationId"] for _ in range(5)]
    yield
    ec2.delete_key_pair(KeyName=VM)
    iam.delete_role(RoleName=VM)
    ecr.delete_repository(repositoryName=VM)
    for address in addresses:
        ec2.release_address(AllocationId=address)


FACED: Final = {"key-pair", "role", "repository", "elastic-ips", "instance-type", "public-key"}
WRONG: Final = (
    *("--var", "instance_type=t99.large"),
    *("--var", "ssh_public_key=ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBmGhJ cut"),
)


def test_what_cannot_be_created_is_refused_and_can_be_allowed_by_name(lab: Lab) -> None:
    """Names, quotas, the instance type and the key: each by its own check."""
    allow = [word for name in sorted(FACED) for word in ("--allow", name)]
    with taken(lab.sandbox):
        assert lab.plan(*WRONG) == {"refused": FACED, "allowed": set()}
        assert lab.plan(*WRONG, *allow) == {"refused": set(), "allowed": FACED}


@pytest.fixture(scope="module")
def grown(lab: Lab) -> Lab:
    """The stack, applied; then a larger disk and a disabled environment, both by hand."""
    assert lab.plan() == NOTHING
    lab.run("apply", status=EXIT_DONE)
    sandbox = lab.sandbox
    ec2: Any = sandbox.client("ec2")
    (volume,) = ec2.describe_volumes()["Volumes"]
    ec2.modify_volume(VolumeId=volume["VolumeId"], Size=200)
    batch = sandbox.client("batch")
    batch.update_compute_environment(computeEnvironment=VM, state="DISABLED")
    return lab


def test_what_a_plan_would_change_back_is_drift(grown: Lab) -> None:
    """The environment's state is a default of the provider, and in no configuration."""
    found = grown.run("drift", "--output", "json", status=EXIT_FINDINGS).data["drift"]
    paths = {each["address"]: {at["path"] for at in each["attributes"]} for each in found}
    assert paths == {
        "aws_batch_compute_environment.batch": {"state"},
        "aws_instance.vm": {"root_block_device[0].volume_size"},
    }


def test_a_disk_that_somebody_grew_has_a_way_out(grown: Lab) -> None:
    """Its size becomes a variable's value; until then the plan is refused."""
    assert grown.plan() == {"refused": {"volume-size"}, "allowed": set()}
    assert grown.plan("--var", "vm_volume_gib=200") == NOTHING
    grown.run("apply", status=EXIT_DONE)
    found = grown.run("drift", "--var", "vm_volume_gib=200", "-o", "json", status=EXIT_DONE).data
    assert found["drift"] == []
