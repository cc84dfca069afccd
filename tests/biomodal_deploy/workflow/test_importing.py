"""Tests for biomodal_deploy.workflow.importing: the id of what exists, from what was planned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from biomodal_deploy.workflow.importing import held_elsewhere, known_id
from biomodal_deploy.workflow.location import Location
from tests.support.plans import plan, resource


@pytest.mark.parametrize(
    ("kind", "after", "expected"),
    [
        ("aws_batch_compute_environment", {"compute_environment_name": "lab"}, "lab"),
        ("aws_batch_compute_environment", {"name": "lab"}, "lab"),  # AWS provider 6
        ("aws_iam_role_policy", {"role": "lab", "name": "vm"}, "lab:vm"),
        ("aws_batch_job_queue", {"name": "lab"}, None),  # its ARN needs account and region
        ("aws_instance", {"name": "lab"}, None),
    ],
)
def test_an_id_comes_from_the_name(kind: str, after: dict[str, str], expected: str | None) -> None:
    """As the provider takes it; None where AWS alone knows it."""
    (change,) = plan(resource(f"{kind}.x", "create", None, after)).changes
    assert known_id(change) == expected


def _state(path: Path, *names: str) -> None:
    instances = [{"attributes": {"key_name": name}} for name in names]
    resource = {"mode": "managed", "type": "aws_key_pair", "instances": instances}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"version": 4, "resources": [resource]}))


@pytest.fixture
def location(tmp_path: Path) -> Location:
    """A project whose two stacks have states of their own, one of them in two workspaces."""
    s3 = {"kind": "s3", "bucket": "lab-state", "region": "eu-west-2"}
    stacks = {
        "lab": {"bootstrap": "native"},
        "other": {"bootstrap": "native"},
        "far": {"bootstrap": "native", "backend": s3},
    }
    (tmp_path / "cdktf.json").write_text(json.dumps({"app": "true", "context": {"stacks": stacks}}))
    location = Location.of(tmp_path, {})
    spaces = location.output / "stacks" / "lab" / "terraform.tfstate.d"
    _state(tmp_path / "state" / "lab.tfstate", "lab-vm")
    _state(tmp_path / "state" / "other.tfstate", "other-vm")
    _state(tmp_path / "state" / "far.tfstate", "far-vm")
    _state(spaces / "dev" / "terraform.tfstate", "dev-vm")
    (spaces / "torn").mkdir()
    (spaces / "torn" / "terraform.tfstate").write_text("{")
    return location


def test_all_but_its_own_state(location: Location) -> None:
    """Other stacks' and other workspaces' states; one that cannot be read is in nobody's way."""
    assert held_elsewhere(location, "lab") == {
        "aws_key_pair:dev-vm": "this stack in the workspace dev",
        "aws_key_pair:other-vm": "the stack other in the workspace default",
    }


def test_from_another_workspace(location: Location) -> None:
    """The default workspace's state is another one then."""
    there = Location.of(location.project_dir, {"TF_WORKSPACE": "dev"})
    assert set(held_elsewhere(there, "lab")) == {"aws_key_pair:lab-vm", "aws_key_pair:other-vm"}
