"""Who holds the lock, and the exact command that takes it away."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from biomodal_deploy.engine.terraform import StateHeader
from biomodal_deploy.engine.terraform.locks import (
    S3Object,
    is_unusable,
    local_content,
    local_lock,
    lock_in_text,
    state_object,
    state_place,
    unlock_command,
)
from tests.support.small_stack import held_by_a_process

ERROR = """Error message: operation error S3: PutObject, api error PreconditionFailed
Lock Info:
  ID:        8ec9dbb3-e8b5-64bb-de41-ddc66be14f10
  Path:      st8/x/y.tfstate
  Operation: OperationTypeApply
  Who:       ada@lab
  Version:   1.11.4
  Created:   2026-11-23 02:39:47.884834202 +0000 UTC
  Info:      

Terraform acquires a state lock to protect the state"""  # noqa: W291 - as Terraform prints it


def test_the_lock_in_an_error() -> None:
    """Holder, time and id are read out of Terraform's words."""
    lock = lock_in_text(ERROR)
    assert lock is not None
    assert lock.holder == (
        "held by ada@lab (apply) since 2026-11-23 02:39:47 UTC,"
        " id 8ec9dbb3-e8b5-64bb-de41-ddc66be14f10"
    )
    assert lock_in_text("Error: nothing of the kind") is None


@pytest.mark.parametrize(
    ("fault", "unusable"),
    [
        ("is a directory", True),
        ("permission denied", True),
        ("no space left on device", False),
        ("read-only file system", False),
        ("disk quota exceeded", False),
    ],
)
def test_a_disk_at_fault_is_no_lock_in_the_way(fault: str, *, unusable: bool) -> None:
    """A full disk is not called a lock that somebody has to remove."""
    line = f'could not write lock info for "a.tfstate": write .a.tfstate.lock.info: {fault}'
    assert is_unusable(f"Error acquiring the state lock\n\nError message: {line}\n") is unusable


def test_the_unlock_command_can_be_pasted() -> None:
    """The command names program, directory and workspace, quoted for a shell."""
    command = unlock_command(
        ["/usr/bin/terraform"], "8ec9", directory=Path("/a lab/stack"), workspace="dev"
    )
    assert shlex.split(command) == [
        "TF_WORKSPACE=dev",
        "/usr/bin/terraform",
        "-chdir=/a lab/stack",
        "force-unlock",
        "-force",
        "8ec9",
    ]


def test_a_local_lock_lives_with_its_holder(tmp_path: Path) -> None:
    """A description that a killed Terraform left is no lock; a held one is, and stays held."""
    state = tmp_path / "terraform.tfstate"
    state.touch()
    info = {"ID": "8ec9", "Who": "ada@lab", "Operation": "OperationTypeApply"}
    (tmp_path / ".terraform.tfstate.lock.info").write_text(json.dumps(info))
    assert local_lock(state) is None
    with held_by_a_process(state) as number:
        for _ in range(2):  # asking does not take it away
            lock = local_lock(state)
            assert lock is not None
            assert (lock.id, lock.who) == ("8ec9", "ada@lab")
        (tmp_path / ".terraform.tfstate.lock.info").write_text("")
        lock = local_lock(state)
        assert lock is not None
        assert str(lock) == f"the state is locked by process {number} of this machine"
    assert local_lock(state) is None


def test_no_state_no_lock(tmp_path: Path) -> None:
    """Before the first plan there is nothing to lock."""
    assert local_lock(tmp_path / "terraform.tfstate") is None


LOCAL = {"backend": {"type": "local", "config": {"path": "st/x.tfstate"}}}
HEADER = {"version": 4, "lineage": "a-b", "serial": 7, "terraform_version": "1.11.4"}


@pytest.mark.parametrize(
    ("backend", "workspace", "expected"),
    [
        (None, "default", "terraform.tfstate"),
        (None, "dev", "terraform.tfstate.d/dev/terraform.tfstate"),
        ({"path": "st/x.tfstate", "workspace_dir": None}, "default", "st/x.tfstate"),
        ({"path": "st/x.tfstate"}, "dev", "terraform.tfstate.d/dev/terraform.tfstate"),
        ({"workspace_dir": "ws"}, "dev", "ws/dev/terraform.tfstate"),
    ],
)
def test_where_a_local_state_is(
    tmp_path: Path, backend: dict[str, str] | None, workspace: str, expected: str
) -> None:
    """The state file is where Terraform's local backend puts it."""
    data_dir = tmp_path / ".terraform"
    if backend is not None:
        data_dir.mkdir()
        settings = {"backend": {"type": "local", "config": backend}}
        (data_dir / "terraform.tfstate").write_text(json.dumps(settings))
    assert state_place(tmp_path, data_dir, workspace) == tmp_path / expected


@pytest.mark.parametrize(
    "settings", ['{"backend": {"type": "http", "config": {"address": "b"}}}', "{", "{}"]
)
def test_other_backends_have_no_local_state(tmp_path: Path, settings: str) -> None:
    """Where the backend is another, or unknown, no local file is taken for the state."""
    (tmp_path / "terraform.tfstate").write_text(settings)
    assert state_place(tmp_path, tmp_path, "default") is None


def test_where_a_state_in_s3_is(tmp_path: Path) -> None:
    """The object, its lock and the commands about them are in the workspace that is used."""
    config = {"bucket": "lab", "key": "a/b", "region": "eu-west-2", "profile": None, "acl": None}
    settings = {"backend": {"type": "s3", "config": config}}
    (tmp_path / "terraform.tfstate").write_text(json.dumps(settings))
    place = state_place(tmp_path, tmp_path, "default")
    assert place == S3Object("lab", "a/b", ("--region", "eu-west-2"))
    assert place.command("delete-object", "--key", place.lock.key) == (
        "aws s3api delete-object --bucket lab --key a/b.tflock --region eu-west-2"
    )
    assert str(state_object(config, "dev").lock) == "s3://lab/env:/dev/a/b.tflock"
    assert state_object({**config, "workspace_key_prefix": "w"}, "dev").key == "w/dev/a/b"


def stack(path: Path, *, settings: object = LOCAL, state: object = HEADER) -> Path:
    """Make a directory with what `init` and an apply leave in it."""
    for name, content in ((".terraform/terraform.tfstate", settings), ("st/x.tfstate", state)):
        if content is not None:
            file = path / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_the_file_says_which_version_it_is(tmp_path: Path) -> None:
    """Lineage and serial are read without starting Terraform."""
    content = local_content(stack(tmp_path), tmp_path / ".terraform", "default")
    assert content is not None
    found = StateHeader.model_validate_json(content)
    assert (found.lineage, found.serial, found.terraform_version) == ("a-b", 7, "1.11.4")


def test_a_missing_file_is_what_the_caller_says(tmp_path: Path) -> None:
    """Before a plan its absence is believed, of an initialized local backend alone."""
    place = stack(tmp_path, state=None), tmp_path / ".terraform", "default"
    assert local_content(*place, absent=b"") == b""
    for settings in ({"backend": {"type": "s3", "config": {"bucket": "b"}}}, "{"):
        stack(tmp_path, settings=settings, state=None)
        assert local_content(*place, absent=b"") is None
    (tmp_path / ".terraform" / "terraform.tfstate").unlink()
    assert local_content(*place, absent=b"") is None


@pytest.mark.parametrize(
    ("settings", "state"),
    [
        (None, HEADER),
        ({"backend": {"type": "s3", "config": {"bucket": "b"}}}, HEADER),
        (LOCAL, None),
        (LOCAL, "{"),
        (LOCAL, {"serial": 7}),
        (LOCAL, {**HEADER, "version": 5}),
    ],
    ids=["not initialized", "another backend", "no state", "damaged", "no lineage", "newer format"],
)
def test_what_the_file_does_not_say_is_for_terraform(
    tmp_path: Path, settings: object, state: object
) -> None:
    """A file that may not be the state, or cannot be read, is never taken for it."""
    stack(tmp_path, settings=settings, state=state)
    assert local_content(tmp_path, tmp_path / ".terraform", "default") is None
