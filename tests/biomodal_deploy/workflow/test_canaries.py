"""Secrets after an apply, failed or done; each command by itself is in cli/test_canaries.py."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.light import MODEL, STACK, Ended, LightProject

pytestmark = [pytest.mark.engine]

VARIABLE = "canary-variable-5d1f"
NESTED = "canary-nested-77aa"
USER_DATA = "canary-user-data-c3b9"
CANARIES = (VARIABLE, NESTED, USER_DATA)
# They hold every secret in clear until the apply, for the owner's eyes only.
KEPT_UNTIL_APPLIED = {"plan.tfplan", "variables.tfvars.json"}


@pytest.fixture
def project(tmp_path: Path) -> LightProject:
    """A project with a secret variable, a nested one, a sensitive output and user data."""
    model: dict[str, Any] = copy.deepcopy(MODEL)
    model["resource"]["terraform_data"]["machine"] = {"input": {"user_data": USER_DATA}}
    model["resource"]["terraform_data"]["shout"] = {
        "provisioner": [{"local-exec": {"command": "echo ${var.secret}; exit ${var.status}"}}]
    }
    model["variable"]["status"] = {"type": "string", "default": "0"}
    made = LightProject(tmp_path / "project", {STACK: model})
    values = {"secret": VARIABLE, "nested": {"list": ["harmless", NESTED]}}
    (made.folder / "terraform.tfvars.json").write_text(json.dumps(values))
    return made


def screen(ended: Ended, status: int) -> str:
    """Return everything that a command printed, having ended as it should."""
    assert ended.status == status, ended.out + ended.err
    return ended.out + ended.err


def leaks(project: LightProject) -> list[str]:
    """Return the files of ours that hold a canary."""
    return [
        str(path.relative_to(project.folder))
        for path in sorted((project.folder / "plans").rglob("*"))
        if path.is_file()
        for canary in CANARIES
        if canary.encode() in path.read_bytes()
    ]


def test_a_failing_apply_keeps_them_too(project: LightProject) -> None:
    """A provisioner prints the secret and fails: the error and the log name neither."""
    screen(project.run("plan", "--var", "status=3"), 0)
    ended = project.run("apply", "--output", "json")
    text = screen(ended, 1)
    assert "shout" in ended.error["message"]
    assert not [canary for canary in CANARIES if canary in text]
    assert leaks(project) == []


def test_a_used_plan_has_no_secrets_left(project: LightProject) -> None:
    """The plan file and its values go with the apply."""
    sealed_plan = project.plan()
    assert (sealed_plan / "plan.tfplan").exists()
    screen(project.run("apply"), 0)
    assert not [name for name in KEPT_UNTIL_APPLIED if (sealed_plan / name).exists()]
    assert leaks(project) == []
