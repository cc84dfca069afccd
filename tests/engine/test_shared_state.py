"""A state that a team shares: one bucket in the sandbox, several checkouts of one project."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from biomodal_deploy.sandbox import Sandbox
from tests.support.shared_state import (
    BUCKET,
    SharedProject,
    addresses,
    locked,
    make_bucket,
    shared_state,
)

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("shared-state")]

BOTH: Final = {"terraform_data.first", "terraform_data.second"}
_NUMBERS: Final = count()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """An account with one versioned bucket for states."""
    with Sandbox.start(tmp_path_factory.mktemp("sandbox")) as sandbox:
        make_bucket(sandbox)
        yield sandbox


@pytest.fixture
def key() -> str:
    """A state of the test's own."""
    return f"{next(_NUMBERS)}/terraform.tfstate"


def test_a_colleague_goes_on_where_one_stopped(sandbox: Sandbox, tmp_path: Path, key: str) -> None:
    """What one checkout applied, another one finds; here from files that name the bucket."""
    mine, theirs = SharedProject(tmp_path / "a", sandbox), SharedProject(tmp_path / "b", sandbox)
    mine.keep_in_s3(key)
    mine.applied()
    assert addresses(shared_state(sandbox, key)) == BOTH
    assert not locked(sandbox, key)
    assert not mine.local_state.exists()
    (theirs.folder / "lab.hcl").write_text(
        f'bucket = "{BUCKET}"\nregion = "{sandbox.region}"\nkey = "{key}"\n'
    )
    theirs.keep_in_files("lab.hcl")
    ended = theirs.run("plan", "--output", "json")
    assert ended.status == 0, ended.out + ended.err
    assert ended.data["has_changes"] is False


def test_what_is_sealed_of_a_partial_configuration(
    sandbox: Sandbox, tmp_path: Path, key: str
) -> None:
    """Another file of the backend's is another place: refused, whatever the file says now."""
    project = SharedProject(tmp_path / "a", sandbox)
    file = project.folder / "lab.hcl"
    file.write_text(f'bucket = "{BUCKET}"\nregion = "{sandbox.region}"\nkey = "{key}"\n')
    project.keep_in_files("lab.hcl")
    project.plan()
    file.write_text(file.read_text() + "# edited\n")
    ended = project.run("apply", "--output", "json")
    assert (ended.status, ended.error["reason"]) == (4, "edited_backend_file")
    file.write_text('access_key = "canary"\n')
    ended = project.run("plan")
    assert ended.status == 64
    assert "lab.hcl: access_key: A credential" in ended.err
    assert "canary" not in ended.err


def test_a_changed_backend_is_no_empty_one(sandbox: Sandbox, tmp_path: Path, key: str) -> None:
    """Nobody plans to make everything twice, also where nothing remembers the old backend."""
    project = SharedProject(tmp_path / "a", sandbox)
    project.applied()
    project.keep_in_s3(key)
    for words in (("plan",), ("output",), ("drift",)):
        ended = project.run(*words)
        assert ended.status == 64
        assert "state/light.tfstate still holds 2 resources" in ended.err
        assert "biomodal-aws backend migrate --stack light" in ended.err
    project.keep_in_s3("other/" + key)
    project.local_state.unlink()
    ended = project.run("plan")
    assert (ended.status, "backend migrate" in ended.err) == (1, True), ended.err
