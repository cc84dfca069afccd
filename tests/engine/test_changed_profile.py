"""A documented stack becomes a hardened one in place, with a bucket that existed before.

The AWS provider waits almost a minute for the lifecycle configuration of a bucket of its own; here
there is none to wait for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.sandbox import Sandbox
from tests.support.native import (
    NativeProject,
    apply,
    apply_at_once,
    change_profile,
    changes,
    native_project,
    resources,
    settled,
)

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("changed-profile")]

VM: Final = "engine-vm"
EXISTING: Final = "lab-data"


@pytest.fixture(scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeProject]:
    """A documented stack with a bucket that exists, applied."""
    workdir = tmp_path_factory.mktemp("documented")
    with (
        Sandbox.start(workdir) as sandbox,
        native_project(workdir, sandbox, vm_name=VM, profile="documented") as project,
    ):
        sandbox.client("s3").create_bucket(Bucket=EXISTING)
        values = Path(project.stack / "terraform.tfvars")
        values.write_text(f'{values.read_text()}use_existing_bucket_url = "s3://{EXISTING}"\n')
        project.init()
        apply_at_once(project)
        yield project


@pytest.fixture(scope="module")
def changed(documented: NativeProject) -> dict[str, Any]:
    """The plan that makes it hardened, after its apply."""
    change_profile(documented, "hardened")
    plan = documented.plan(out="hardened")
    apply(documented, "hardened")
    return plan


def test_changing_the_profile_keeps_the_vm(changed: dict[str, Any]) -> None:
    """VM, repository, address and role are changed in place; the environment is replaced."""
    done = changes(changed)
    replaced = {address for address, actions in done.items() if len(actions) > 1}
    assert replaced == {"aws_batch_compute_environment.batch"}
    assert done["aws_batch_compute_environment.batch"] == ["create", "delete"]
    gone = {address for address, actions in done.items() if actions == ["delete"]}
    assert {address.split(".")[0] for address in gone} == {"aws_vpc_security_group_ingress_rule"}
    assert done["aws_instance.vm"] == ["update"]


def test_hardened_with_an_existing_bucket_settles(
    documented: NativeProject, changed: dict[str, Any]
) -> None:
    """Nothing of that bucket is the stack's, and the VM and the hosts may use it."""
    assert settled(documented)
    made = resources(changed)
    assert not [address for address in made if address.startswith("aws_s3_")]
    iam = documented.sandbox.client("iam")
    for role in (VM, f"{VM}-batch-host"):
        policy = iam.get_role_policy(RoleName=role, PolicyName=role)["PolicyDocument"]
        assert f"arn:aws:s3:::{EXISTING}/*" in json.dumps(policy)


@pytest.fixture(scope="module")
def back(documented: NativeProject, changed: dict[str, Any]) -> dict[str, Any]:
    """The plan that makes it documented again, after its apply."""
    assert changed
    change_profile(documented, "documented")
    plan = documented.plan(out="documented")
    apply(documented, "documented")
    return plan


def test_going_back_replaces_the_environment_after_its_successor(
    documented: NativeProject, back: dict[str, Any]
) -> None:
    """Batch deletes no environment that a queue names, so the new one has to exist first."""
    done = changes(back)
    assert done["aws_batch_compute_environment.batch"] == ["create", "delete"]
    assert done["aws_batch_job_queue.job_queue"] == ["update"]
    assert done["aws_instance.vm"] == ["update"]
    assert settled(documented)


@pytest.fixture(scope="module")
def prefixed(documented: NativeProject, back: dict[str, Any]) -> dict[str, Any]:
    """The plan that makes it hardened under other role names, after its apply."""
    assert back
    change_profile(documented, "hardened")
    values = Path(documented.stack / "terraform.tfvars")
    values.write_text(f'{values.read_text()}iam_name_prefix = "lab-"\n')
    plan = documented.plan(out="prefixed")
    apply(documented, "prefixed")
    return plan


def test_the_profile_and_the_names_of_roles_change_at_once(
    documented: NativeProject, prefixed: dict[str, Any]
) -> None:
    """Roles are replaced, and what uses them goes over to the new ones: no cycle."""
    assert changes(prefixed)["aws_iam_role.vm_role"] == ["create", "delete"]
    assert changes(prefixed)["aws_instance.vm"] == ["update"]
    assert settled(documented)


def test_destroy_leaves_the_existing_bucket(
    documented: NativeProject, prefixed: dict[str, Any]
) -> None:
    """All of the stack goes, and only that."""
    plan = documented.plan("-destroy", out="destroyplan")
    assert set(map(tuple, changes(plan).values())) == {("delete",)}
    apply(documented, "destroyplan")
    assert [item.identifier for item in documented.sandbox.leftovers()] == [EXISTING]
