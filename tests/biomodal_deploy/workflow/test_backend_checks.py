"""Nothing is planned a second time because the state is looked for in another place."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from biomodal_deploy.errors import EXIT_DONE, EXIT_ENGINE, UsageError
from biomodal_deploy.workflow.backend_checks import (
    check_config_files,
    check_nothing_left_behind,
    require_public_key,
    require_state_bucket,
)
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.stack import Stack
from tests.support.light import LightProject
from tests.support.sealed_plans import sealed

STATE = json.dumps({"lineage": "1f2e", "serial": 3, "resources": [{}, {}], "outputs": {}})


def stack_in(folder: Path, output: str | None = None) -> Stack:
    """Return the stack of a project, synthesized into this folder."""
    LightProject(folder, context={"stacks": {"prod": {}}})
    location = Location.of(folder, {"CDKTF_OUTDIR": output} if output else {})
    return Stack(location=location, name="prod", directory=location.output / "stacks" / "prod")


@pytest.fixture
def applied(tmp_path: Path) -> Path:
    """A project with a state in its usual place."""
    folder = tmp_path / "project"
    (folder / "state").mkdir(parents=True)
    (folder / "state" / "prod.tfstate").write_text(STATE)
    return folder


def test_another_output_folder_is_refused_where_a_state_is_left(applied: Path) -> None:
    """The local state lies beside that folder, so Terraform would find none and make all again."""
    for output in (str(applied.parent / "elsewhere"), "build/out"):
        with pytest.raises(UsageError, match=r"^CDKTF_OUTDIR = .*holds 2 resources.* Fix: "):
            check_nothing_left_behind(stack_in(applied, output))


def test_the_usual_places_are_not_refused(applied: Path, tmp_path: Path) -> None:
    """Another name beside it has the same state; and where no state is, none is left."""
    check_nothing_left_behind(stack_in(applied))
    check_nothing_left_behind(stack_in(applied, "out"))
    check_nothing_left_behind(stack_in(tmp_path / "new", str(tmp_path / "elsewhere")))


def test_the_usual_folder_is_refused_where_a_plan_had_its_state_elsewhere(tmp_path: Path) -> None:
    """Planned and applied with `CDKTF_OUTDIR`, and forgotten to set it: nothing is made again."""
    stack = stack_in(tmp_path / "project")
    sealed(stack.location.plans, stack="prod", directory="../elsewhere/stacks/prod")
    check_nothing_left_behind(stack)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "prod.tfstate").write_text(STATE)
    elsewhere = re.escape(str(tmp_path / "elsewhere"))
    with pytest.raises(
        UsageError, match=rf"holds 2 resources.* Fix: set CDKTF_OUTDIR to {elsewhere}"
    ):
        check_nothing_left_behind(stack)
    check_nothing_left_behind(stack_in(tmp_path / "project", str(tmp_path / "elsewhere")))


def test_a_state_that_was_copied_is_used(applied: Path, tmp_path: Path) -> None:
    """Whoever copied the state beside the other folder may go on there."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "prod.tfstate").write_text(STATE)
    check_nothing_left_behind(stack_in(applied, str(tmp_path / "elsewhere")))


@pytest.mark.engine
def test_a_state_in_the_output_folder_is_told(tmp_path: Path) -> None:
    """A workspace's local state lies there, where nobody expects what is not to be cleared."""
    light = LightProject(tmp_path / "project")
    planned = light.run("plan", environment={"TF_WORKSPACE": "dev"})
    assert planned.status == EXIT_DONE
    folder = "cdktf.out/stacks/light/terraform.tfstate.d/dev"
    assert f"note: The state of the workspace dev lies in {folder}: do not clear" in planned.err
    assert light.run("apply", environment={"TF_WORKSPACE": "dev"}).status == EXIT_DONE
    assert (light.folder / folder / "terraform.tfstate").exists()
    assert "do not clear" not in light.run("plan").err


@pytest.mark.engine
def test_a_workspace_that_is_no_text_is_no_bug(tmp_path: Path) -> None:
    """Terraform refuses the name, as it does every other that cannot be one."""
    light = LightProject(tmp_path / "project")
    light.plan()
    data_dir = light.folder / "cdktf.out" / "stacks" / "light" / ".terraform"
    (data_dir / "environment").write_bytes(b"\xff\xfe")
    refused = light.run("plan")
    assert (refused.status, "Invalid workspace name" in refused.err) == (EXIT_ENGINE, True)


def partial_stack(folder: Path, content: str, kind: str = "s3") -> Stack:
    """Return a stack whose backend is completed by a file."""
    backend = {"kind": "partial", "type": kind, "config_files": ["backend.hcl"]}
    LightProject(folder, context={"stacks": {"prod": {"backend": backend}}})
    (folder / "backend.hcl").write_text(content)
    location = Location.of(folder, {})
    directory = location.output / "stacks" / "prod"
    directory.mkdir(parents=True)
    (directory / "cdk.tf.json").write_text(json.dumps({"terraform": {"backend": {kind: {}}}}))
    return Stack(location=location, name="prod", directory=directory)


@pytest.mark.parametrize("value", ["false", '"false"', '"0"', "0", '"FALSE"'])
@pytest.mark.parametrize("name", ["use_lockfile", "encrypt"])
def test_a_file_never_turns_locking_and_encryption_off(
    tmp_path: Path, name: str, value: str
) -> None:
    """The documents promise both, however the state's place is given."""
    with pytest.raises(UsageError) as caught:
        check_config_files(partial_stack(tmp_path, f'bucket = "b"\n{name} = {value}\n'))
    assert caught.value.field == f"{tmp_path / 'backend.hcl'}: {name}"


def test_a_file_may_say_what_holds_anyway(tmp_path: Path) -> None:
    """And another kind of backend has settings of its own."""
    check_config_files(partial_stack(tmp_path / "a", "use_lockfile = true\nencrypt = true\n"))
    check_config_files(partial_stack(tmp_path / "b", "encrypt = false\n", kind="gcs"))
    role = 'assume_role = { role_arn = "arn:aws:iam::123456789012:role/r" }\n'
    check_config_files(partial_stack(tmp_path / "c", role))


@pytest.mark.parametrize("name", ["role_arn", "session_name", "external_id"])
def test_a_role_is_written_as_terraform_takes_it(tmp_path: Path, name: str) -> None:
    """Not as a setting of its own, which its backend no longer has."""
    with pytest.raises(UsageError) as caught:
        check_config_files(partial_stack(tmp_path, f'{name} = "x"\n'))
    assert caught.value.fix is not None
    assert f"assume_role = {{ {name} = ... }}" in caught.value.fix


@pytest.mark.parametrize("more", ["", 'encrypt = ""\n'])
def test_a_key_that_terraform_would_not_use(tmp_path: Path, more: str) -> None:
    """Without `encrypt`, Terraform passes kms_key_id over and says nothing."""
    with pytest.raises(UsageError) as caught:
        check_config_files(partial_stack(tmp_path / "a", f'kms_key_id = "alias/state"\n{more}'))
    assert caught.value.field == f"{tmp_path / 'a' / 'backend.hcl'}: kms_key_id"
    assert caught.value.value == "alias/state"
    check_config_files(
        partial_stack(tmp_path / "b", 'kms_key_id = "alias/state"\nencrypt = true\n')
    )


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
    ("settings", "values"), [(NATIVE, {}), (HARDENED, {"ssh_cidr_blocks": ["192.0.2.0/24"]})]
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
