"""Where lock files go, and when nothing may change them."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Never

import pytest

from biomodal_deploy.plan.sealed.gathering import LOCK_FILE
from biomodal_deploy.workflow.location import Notice, WorkflowEvent
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.terraform_setup import (
    bring_adoption,
    bring_lock,
    is_read_only,
    keep_lock,
    project_lock,
)
from tests.support.small_stack import stack_in


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """A stack with a directory and nothing in it."""
    return stack_in(tmp_path)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"CI": "true"}, True),
        ({"CI": "1"}, True),
        ({"CI": "false"}, False),
        ({"CI": ""}, False),
        ({"BIOMODAL_READONLY_LOCK": "1"}, True),
    ],
)
def test_where_nothing_may_change_it(environment: dict[str, str], expected: bool) -> None:
    """In a CI job, or where it is asked for; an empty variable is none."""
    assert is_read_only(environment) is expected


def test_there_and_back(stack: Stack) -> None:
    """The project's own goes before what lies in the output; what Terraform adds comes back."""
    heard: list[WorkflowEvent] = []
    assert not bring_lock(stack)
    keep_lock(stack.with_listener(heard.append))
    assert (heard, project_lock(stack).exists()) == ([], False)
    (stack.directory / LOCK_FILE).write_text("one")
    keep_lock(stack.with_listener(heard.append))
    assert project_lock(stack).read_text() == "one"
    project_lock(stack).write_text("two")
    assert bring_lock(stack)
    assert (stack.directory / LOCK_FILE).read_text() == "two"
    keep_lock(stack.with_listener(heard.append))
    assert len(heard) == 1
    assert isinstance(heard[0], Notice)
    assert heard[0].text.startswith("locks/x.terraform.lock.hcl is new: commit it")
    assert [path.name for path in project_lock(stack).parent.iterdir()] == ["x.terraform.lock.hcl"]


def test_nothing_to_bring_writes_nothing(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a read-only file system `output` and `status` still read."""

    def refuse(*_: object, **__: object) -> Never:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", refuse)
    bring_adoption(stack)
    monkeypatch.undo()
    (stack.directory / "adopt.tf").write_text("import {}")
    bring_adoption(stack)
    assert list(stack.directory.iterdir()) == []
