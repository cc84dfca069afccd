"""The exit status of `plan`, as Terraform has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS, EXIT_GUARD
from tests.support.light import STACK, LightProject

pytestmark = pytest.mark.engine

DETAILED = "--detailed-exitcode"
ONE: Final[dict[str, Any]] = {"resource": {"terraform_data": {"one": {}}}}


def test_changes_are_a_status_only_for_who_asks(tmp_path: Path) -> None:
    """A script under `set -e` goes on; `--detailed-exitcode` tells changes from none."""
    project = LightProject(tmp_path / "project", {STACK: ONE})
    assert project.run("plan").status == EXIT_DONE
    assert project.run("plan", DETAILED).status == EXIT_FINDINGS
    printed = project.run("plan", DETAILED, "--output", "json")
    assert (printed.status, printed.data["has_changes"]) == (EXIT_FINDINGS, True)
    assert project.run("apply").status == EXIT_DONE
    assert project.run("plan", DETAILED).status == EXIT_DONE
    assert project.run("plan", DETAILED, "--destroy").status == EXIT_FINDINGS
    assert project.run("plan", DETAILED, "--refresh-only").status == EXIT_DONE


def test_a_refused_plan_is_no_success_either_way(tmp_path: Path) -> None:
    """A guard's status stands before that of the changes."""
    settings = {STACK: {"protected": ["terraform_data"]}}
    project = LightProject(tmp_path / "project", {STACK: ONE}, {"stacks": settings})
    project.plan()
    assert project.run("apply").status == EXIT_DONE
    for words in ((), (DETAILED,)):
        assert project.run("plan", "--destroy", *words).status == EXIT_GUARD


def test_the_status_of_a_set(tmp_path: Path) -> None:
    """The option reaches each stack; without it, all that could be planned are done."""
    project = LightProject(
        tmp_path / "project", {"a": ONE, "b": {"variable": {"unused": {"default": 1}}}}
    )
    every = project.run("plan", "--all", "--output", "json")
    assert (every.status, every.data["statuses"]) == (EXIT_DONE, {"0": 2})
    every = project.run("plan", DETAILED, "--all", "--output", "json")
    assert (every.status, every.data["statuses"]) == (EXIT_FINDINGS, {"0": 1, "2": 1})
