"""Who holds the lock, and the exact command that takes it away."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from biomodal_deploy.engine.terraform.locks import local_lock, lock_in_text, unlock_command
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
