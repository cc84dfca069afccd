"""Tests for biomodal_deploy.plan.sealed.facts."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from biomodal_deploy.plan.sealed.facts import (
    Actor,
    Revision,
    commit_of,
    is_ignored,
    revision_of,
    whoami,
)
from tests.support.git import git, git_repository
from tests.support.project import ROOT


def test_this_process_runs() -> None:
    """As long as it can say so."""
    assert Actor.me().is_running() is True
    assert Actor.me().pid == os.getpid()


@pytest.mark.slow
def test_a_process_that_ended_does_not_run() -> None:
    """Its number may be free or taken again."""
    code = (
        "from biomodal_deploy.plan.sealed.facts import Actor; print(Actor.me().model_dump_json())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert Actor.model_validate_json(done.stdout).is_running() is False


def test_another_process_with_the_same_number_is_another() -> None:
    """A number is given again, together with its start it is not."""
    me = Actor.me()
    assert me.model_copy(update={"started": "before the last boot"}).is_running() is False


def test_another_machine_cannot_be_asked() -> None:
    """So nothing is claimed about it."""
    assert Actor.me().model_copy(update={"who": "me@elsewhere"}).is_running() is None


def test_a_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in many containers."""
    monkeypatch.setattr(getpass, "getuser", Mock(side_effect=KeyError))
    assert whoami().startswith(f"{os.getuid()}@")


def test_a_name_cannot_write_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is printed by whoever looks at the history."""
    monkeypatch.setattr(getpass, "getuser", lambda: "me\x1b[2J\n")
    assert whoami().startswith("me[2J@")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "file").write_text("one")
    (folder / ".gitignore").write_text("ignored\n")
    git_repository(folder)
    return folder


def test_a_clean_tree_is_its_commit(repository: Path) -> None:
    """Ignored files do not count."""
    (repository / "ignored").write_text("x")
    assert revision_of(repository) == Revision(git(repository, "rev-parse", "HEAD"), clean=True)


@pytest.mark.parametrize("name", ["file", "new"])
def test_an_edited_or_a_new_file_makes_it_unclean(repository: Path, name: str) -> None:
    """Both can change what is synthesized."""
    (repository / name).write_text("two")
    assert revision_of(repository).clean is False


def test_what_git_would_pass_over(repository: Path) -> None:
    """Also in a folder that is not there yet; without Git, nothing is."""
    assert is_ignored(repository / "ignored")
    assert is_ignored(repository / "new" / "deep" / "ignored")
    assert not is_ignored(repository / "new" / "deep" / "file")
    assert not is_ignored(repository.parent / "ignored")


def test_the_projects_own_values_are_let_through(repository: Path) -> None:
    """The shipped .gitignore takes up files of variables in environments/, and no others."""
    (repository / ".gitignore").write_bytes((ROOT / ".gitignore").read_bytes())
    assert not is_ignored(repository / "environments" / "dev.tfvars")
    assert is_ignored(repository / "terraform.tfvars")
    assert is_ignored(repository / "environments" / "dev.tfvars.json")


def test_no_repository_has_no_commit(tmp_path: Path) -> None:
    """And is no error."""
    assert revision_of(tmp_path) == Revision()
    assert commit_of(tmp_path) is None


def test_without_git_there_is_no_commit(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A machine without Git can deploy, too."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert revision_of(repository) == Revision()


def test_another_repository_in_the_environment_does_not_answer(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hook of another repository exports GIT_DIR."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert revision_of(repository).clean is True


def test_a_clone_tells_its_commit_without_git(repository: Path, tmp_path: Path) -> None:
    """On a branch, packed or loose, and detached as Terraform leaves it."""
    commit = git(repository, "rev-parse", "HEAD")
    assert commit_of(repository) == commit
    git(repository, "pack-refs", "--all")
    assert commit_of(repository) == commit
    git(repository, "checkout", "-q", "--detach")
    assert commit_of(repository) == commit
    git(repository, "worktree", "add", "-q", str(tmp_path / "worktree"), "main")
    (tmp_path / "worktree" / "more").write_text("x")
    assert commit_of(repository) == commit


def test_a_damaged_clone_tells_nothing(repository: Path) -> None:
    """Rather than something wrong."""
    (repository / ".git" / "HEAD").write_text("ref: refs/heads/none\n")
    assert commit_of(repository) is None
    (repository / ".git" / "HEAD").write_text("rubbish")
    assert commit_of(repository) is None
