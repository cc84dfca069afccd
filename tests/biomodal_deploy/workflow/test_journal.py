"""What is written down while a state moves: enough to go on, and no credential."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Final

import pytest
from pydantic import JsonValue

from biomodal_deploy.errors import EngineError, UsageError
from biomodal_deploy.workflow import journal
from biomodal_deploy.workflow.journal import (
    Journal,
    Previous,
    check_arrival,
    close_journal,
    default_previous,
    has_to_move,
    is_renamed,
    local_path_of,
    read_journal,
    remembered_backend,
    write_journal,
)
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.state_files import State, parse_state
from tests.support.small_stack import stack_in

S3: Final[dict[str, JsonValue]] = {"bucket": "old", "key": "x/terraform.tfstate"}

BEGUN: Final = Journal(previous=Previous(type="local"))


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """A stack of a project whose environment says nothing."""
    return stack_in(tmp_path)


def initialized(stack: Stack, backend: object, data_dir: str = ".terraform") -> Path:
    """Leave behind what `terraform init` leaves."""
    path = stack.directory / data_dir / "terraform.tfstate"
    path.parent.mkdir()
    path.write_text(json.dumps({"version": 3, "backend": backend}))
    return path


def test_a_closed_folder_is_no_sign_of_a_move(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fixes it is a right, and nothing is to be taken away."""

    def closed(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(journal, "read_regular", closed)
    with pytest.raises(UsageError, match=r"\(Permission denied\)\. Fix: fix its permissions"):
        read_journal(stack)


def test_written_read_and_closed(stack: Stack, tmp_path: Path) -> None:
    """What was begun is found again whole, by its owner alone, until it is finished."""
    assert read_journal(stack) is None
    begun = Journal(previous=Previous(type="s3", config=S3))
    write_journal(stack, begun)
    path = tmp_path / "state" / "backups" / "x.migration.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_journal(stack) == begun
    arrived = begun.model_copy(update={"moved": "digest"})
    write_journal(stack, arrived)
    assert read_journal(stack) == arrived
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    close_journal(stack)
    close_journal(stack)
    assert read_journal(stack) is None


@pytest.mark.parametrize("text", ["", "{", '{"previous": 1}', '{"previous": {"type": ""}, "a": 1}'])
def test_one_that_cannot_be_read_stops_everything(stack: Stack, text: str) -> None:
    """Half a journal is not none: a plan would be made on an empty state."""
    write_journal(stack, Journal(previous=default_previous(stack)))
    (path,) = (stack.location.project_dir / "state" / "backups").iterdir()
    path.write_text(text)
    with pytest.raises(UsageError, match=r"x\.migration\.json: says where a state is moved"):
        read_journal(stack)


def test_what_terraform_remembers(tmp_path: Path) -> None:
    """The backend of the last init, also in a data directory of the user's, or nothing."""
    elsewhere = stack_in(tmp_path, TF_DATA_DIR=".data")
    assert remembered_backend(elsewhere) is None
    path = initialized(elsewhere, {"type": "s3", "config": S3}, ".data")
    assert remembered_backend(elsewhere) == Previous(type="s3", config=S3)
    for text in ("", "[]", '{"backend": 1}', '{"backend": null}', "{}"):
        path.write_text(text)
        assert remembered_backend(elsewhere) is None


def test_no_credential_is_written_down(stack: Stack) -> None:
    """Terraform repeats in its folder what a backend was given; the journal leaves it out."""
    given = {
        **S3,
        "access_key": "canary-1",
        "secret_key": "canary-2",
        "token": "canary-3",
        "profile": None,
        "assume_role": {"role_arn": "arn", "external_id": None},
    }
    initialized(stack, {"type": "s3", "config": given})
    found = remembered_backend(stack)
    assert found == Previous(type="s3", config={**S3, "assume_role": {"role_arn": "arn"}})
    write_journal(stack, Journal(previous=found))
    (path,) = (stack.location.project_dir / "state" / "backups").iterdir()
    assert "canary" not in path.read_text()


def test_as_part_of_a_configuration() -> None:
    """HCP Terraform has a block of its own; every other backend is one by its name."""
    cloud: dict[str, JsonValue] = {"organization": "lab", "workspaces": {"name": "x"}}
    assert Previous(type="cloud", config=cloud).block == {"cloud": cloud}
    assert Previous(type="s3", config=S3).block == {"backend": {"s3": S3}}


def test_the_file_of_a_local_backend(stack: Stack, tmp_path: Path) -> None:
    """Relative to the stack's directory, as Terraform reads it; its own name where none is set."""
    assert local_path_of(stack, default_previous(stack)) == tmp_path / "state" / "x.tfstate"
    own = tmp_path / "mine.tfstate"
    assert local_path_of(stack, Previous(type="local", config={"path": str(own)})) == own
    unnamed = local_path_of(stack, Previous(type="local"))
    assert unnamed == stack.directory / "terraform.tfstate"
    assert default_previous(stack).where(stack).endswith("state/x.tfstate")


def state(serial: int, *resources: str, lineage: str = "ours") -> State:
    """Return a state that holds some resources."""
    content = {"lineage": lineage, "serial": serial, "resources": list(resources)}
    found = parse_state(json.dumps(content).encode(), "x")
    assert found is not None
    return found


OURS: Final = state(7, "a", "b")


@pytest.mark.parametrize(
    ("there", "moves"),
    [
        (None, True),
        (state(6, "a"), True),
        (state(7, "a", "b"), False),
        (state(9, "a", "b"), False),
        (state(1, "a", "b", lineage="pushed"), False),
    ],
)
def test_what_is_written(there: State | None, moves: bool) -> None:
    """Over nothing and over an older version; itself is not written again."""
    assert has_to_move(OURS, there, BEGUN, "there") is moves


@pytest.mark.parametrize(
    ("there", "reason"),
    [
        (state(1, "z", lineage="theirs"), "holds another state: its lineage is theirs"),
        (state(1, lineage="theirs"), r"holds another state \(and is empty\)"),
        (state(7, "z"), "both went on"),
        (state(9, "z"), "both went on"),
    ],
)
def test_what_is_refused(there: State, reason: str) -> None:
    """Another state, and a version that went its own way, are not written over."""
    with pytest.raises(UsageError, match=reason):
        has_to_move(OURS, there, BEGUN, "there")


def test_what_others_made_of_it_since_is_left() -> None:
    """Where we wrote it before and a later version is there, others have gone on with it."""
    ours = BEGUN.model_copy(update={"moved": OURS.sha256})
    assert not has_to_move(OURS, state(9, "z"), ours, "there")


def test_a_new_lineage_is_told_from_another_state() -> None:
    """Serial 1 and the very same resources are ours; either alone is not."""
    assert is_renamed(OURS, state(1, "a", "b", lineage="pushed"))
    assert not is_renamed(OURS, state(2, "a", "b", lineage="pushed"))
    assert not is_renamed(OURS, state(1, "a", lineage="pushed"))
    assert not is_renamed(OURS, OURS)


def test_arrived() -> None:
    """The same contents, or a later version of the same state."""
    check_arrival(OURS, state(7, "a", "b"), "there")
    check_arrival(OURS, state(8, "z"), "there")


@pytest.mark.parametrize(
    "there", [None, state(6, "a", "b"), state(7, "z"), state(8, "a", "b", lineage="theirs")]
)
def test_not_arrived(there: State | None) -> None:
    """Anything else is an error, and the old state is not put away."""
    with pytest.raises(EngineError, match="the old state is where it was"):
        check_arrival(OURS, there, "there")
