"""Nothing is planned a second time because the state is looked for in another place."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from biomodal_deploy.errors import EXIT_DONE, EXIT_ENGINE, UsageError
from biomodal_deploy.workflow.backend import check_config_files, check_nothing_left_behind
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
    """The local state lies beside that folder, so Terraform would find none and make all anew."""
    for output in (str(applied.parent / "elsewhere"), "build/out"):
        with pytest.raises(UsageError, match=r"^CDKTF_OUTDIR = .*holds 2 resources.* Fix: "):
            check_nothing_left_behind(stack_in(applied, output))


def test_the_usual_places_are_not_refused(applied: Path, tmp_path: Path) -> None:
    """Another name beside it has the same state; and where no state is, none is left."""
    check_nothing_left_behind(stack_in(applied))
    check_nothing_left_behind(stack_in(applied, "out"))
    check_nothing_left_behind(stack_in(tmp_path / "new", str(tmp_path / "elsewhere")))


def test_the_usual_folder_is_refused_where_a_plan_had_its_state_elsewhere(tmp_path: Path) -> None:
    """Planned and applied with `CDKTF_OUTDIR`, and forgotten to set it: nothing is made anew."""
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
