"""Tests for biomodal_deploy.workflow.prerequisites: what is missing is named before Terraform."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from biomodal_deploy.errors import UsageError
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.prerequisites import require_public_key, require_state_bucket
from biomodal_deploy.workflow.stack import Stack
from tests.support.light import LightProject

BACKEND = {"kind": "s3", "bucket": "lab-state", "region": "eu-west-2"}
VALUES = {"vm_name": "lab", "ssh_public_key": ""}


def stack_of(folder: Path, settings: Mapping[str, object]) -> Stack:
    """Return a stack with these settings, whose home is the folder."""
    project = LightProject(folder, context={"stacks": {"light": settings}})
    environment = {**os.environ, "HOME": str(folder)}
    return Stack(location=Location.of(project.folder, environment), name="light", directory=folder)


NATIVE = {"bootstrap": "native"}
HARDENED = {"bootstrap": "native", "profile": "hardened"}


@pytest.mark.parametrize(
    ("settings", "values"),
    [(NATIVE, {}), (HARDENED, {"ssh_cidr_blocks": ["192.0.2.0/24"]})],
)
def test_a_missing_public_key_is_named_with_its_command(
    tmp_path: Path, settings: Mapping[str, object], values: dict[str, object]
) -> None:
    """Where the stack would read it; and no word once it is there."""
    stack = stack_of(tmp_path, settings)
    with pytest.raises(UsageError) as caught:
        require_public_key(stack, VALUES | values)
    assert caught.value.field == "ssh_public_key"
    assert str(tmp_path / ".ssh" / "lab.pub") in str(caught.value)
    assert "biomodal-aws keygen lab" in (caught.value.fix or "")
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "lab.pub").touch()
    require_public_key(stack, VALUES | values)


@pytest.mark.parametrize(
    ("settings", "values"),
    [
        (NATIVE, {"ssh_public_key": "ssh-ed25519 AAAA"}),
        (HARDENED, {"ssh_cidr_blocks": []}),
        ({"bootstrap": "module"}, {}),
        ({"bootstrap": "prerequisites"}, {}),
    ],
)
def test_a_stack_that_reads_no_file_needs_none(
    tmp_path: Path, settings: Mapping[str, object], values: dict[str, object]
) -> None:
    """A key in a variable, Session Manager alone, and a module that makes its own."""
    require_public_key(stack_of(tmp_path, settings), VALUES | values)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An account without a bucket; the home is the stack's."""
    for name in [each for each in os.environ if each.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    with mock_aws():
        yield


@pytest.mark.parametrize("partial", [False, True])
def test_a_missing_state_bucket_is_named_with_its_command(
    tmp_path: Path, account: None, partial: bool
) -> None:
    """Whether cdktf.json names it or a file of the backend's settings; not once it is there."""
    (tmp_path / "backend.hcl").write_text('bucket = "lab-state"\nregion = "eu-west-2"\n')
    by_file = {"kind": "partial", "type": "s3", "config_files": ["backend.hcl"]}
    stack = stack_of(tmp_path, {"backend": by_file if partial else BACKEND})
    with pytest.raises(UsageError) as caught:
        require_state_bucket(stack)
    assert "lab-state" in str(caught.value)
    assert "biomodal-aws backend create --stack light" in (caught.value.fix or "")
    boto3.client("s3", region_name="eu-west-2").create_bucket(
        Bucket="lab-state", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"}
    )
    require_state_bucket(stack)


def test_no_answer_is_no_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The backend may use another profile than this process, which may not ask."""
    monkeypatch.setenv("AWS_PROFILE", "nobody-has-this-profile")
    monkeypatch.setenv("HOME", str(tmp_path))
    require_state_bucket(stack_of(tmp_path, {"backend": BACKEND}))


def test_a_state_in_a_file_needs_no_bucket(tmp_path: Path, account: None) -> None:
    """Nothing is asked."""
    require_state_bucket(stack_of(tmp_path, NATIVE))
