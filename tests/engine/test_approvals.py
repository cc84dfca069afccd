"""A plan that people have to sign: from the settings to the history, on real Terraform."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from biomodal_deploy.errors import EXIT_DONE, EXIT_SEALED_PLAN, EXIT_USAGE
from tests.support.git import git
from tests.support.light import STACK, LightProject
from tests.support.signers import make_key, signers_line

pytestmark = pytest.mark.engine

MODEL = {"resource": {"terraform_data": {"it": {"input": "x"}}}}
RULES = {"required": 2}


@pytest.fixture
def lab(tmp_path: Path) -> LightProject:
    """A project whose plans two people have to sign."""
    settings = {"stacks": {STACK: {"approvals": RULES}}}
    project = LightProject(tmp_path / "project", {STACK: MODEL}, settings)
    keys = {name: make_key(tmp_path, name) for name in ("ada", "bob")}
    lines = (signers_line(f"{name}@lab", key) for name, key in keys.items())
    (project.folder / "allowed_signers").write_text("".join(lines))
    return project


def test_two_people_sign_and_it_runs_once(lab: LightProject, tmp_path: Path) -> None:
    """Refused with who is missing until both have signed; then the history names them."""
    made = lab.plan()
    none = lab.run("apply", "--output", "json")
    assert (none.status, none.error["reason"]) == (EXIT_SEALED_PLAN, "approvals_missing")
    first = lab.run("approve", "--key", str(tmp_path / "ada"), "--output", "json")
    assert first.status == EXIT_DONE, first.err
    assert [each["signer"] for each in first.data["approvals"]] == ["ada@lab"]
    one = lab.run("apply")
    assert one.status == EXIT_SEALED_PLAN
    assert "1 of 2" in one.err
    second = lab.run("approve", made.name, "--key", str(tmp_path / "bob"))
    assert second.status == EXIT_DONE
    assert "2 of 2" in second.out
    assert lab.run("apply").status == EXIT_DONE
    entries = lab.run("history", "--output", "json").data["entries"]
    (started,) = [each for each in entries if each["event"] == "apply-start"]
    assert sorted(started["details"]["approved_by"].split(", ")) == ["ada@lab", "bob@lab"]
    assert lab.run("apply", made.name).status == EXIT_SEALED_PLAN


def test_an_approval_is_of_one_plan(lab: LightProject, tmp_path: Path) -> None:
    """Planned again, it has to be signed again; the old one cannot be added."""
    lab.plan()
    out = tmp_path / "approval.json"
    assert lab.run("approve", "--key", str(tmp_path / "ada"), "--out", str(out)).status == EXIT_DONE
    assert json.loads(out.read_text())["statement"]["predicate"]["stack"] == STACK
    lab.plan()
    refused = lab.run("approve", "--add", str(out))
    assert refused.status == EXIT_SEALED_PLAN
    assert lab.run("approve", "--add", str(tmp_path)).status == EXIT_USAGE


def test_plans_that_need_none(lab: LightProject, tmp_path: Path) -> None:
    """Where only losses need approvals, a creation is applied, and its loss is not."""
    settings = json.loads((lab.folder / "cdktf.json").read_text())
    settings["context"]["stacks"][STACK]["approvals"] = {"for": ["destroy"]}
    (lab.folder / "cdktf.json").write_text(json.dumps(settings))
    lab.plan()
    assert lab.run("apply").status == EXIT_DONE
    lab.plan("--destroy")
    refused = lab.run("apply", "--confirm", STACK)
    assert refused.status == EXIT_SEALED_PLAN
    assert lab.run("approve", "--key", str(tmp_path / "ada")).status == EXIT_DONE
    assert lab.run("apply", "--confirm", STACK).status == EXIT_DONE


def test_an_approval_survives_a_merge(lab: LightProject, tmp_path: Path) -> None:
    """Approved on a branch, planned again after a real merge: it counts for the same alone."""
    settings = json.loads((lab.folder / "cdktf.json").read_text())
    settings["context"]["stacks"][STACK]["approvals"] = {"carry_over": True}
    (lab.folder / "cdktf.json").write_text(json.dumps(settings))
    (lab.folder / ".gitignore").write_text("plans\nstate\nhome\ncdktf.out\nlocks\n__pycache__\n")
    git(lab.folder, "init", "--quiet", "--initial-branch=main")
    git(lab.folder, "add", ".")
    git(lab.folder, "commit", "--quiet", "--message=Start")
    git(lab.folder, "checkout", "--quiet", "-b", "topic")
    lab.model({STACK: {"resource": {"terraform_data": {"it": {"input": "y"}}}}})
    git(lab.folder, "commit", "--quiet", "--all", "--message=Change")
    request, approval = lab.plan(), tmp_path / "approval.json"
    signed = lab.run("approve", "--key", str(tmp_path / "ada"), "--out", str(approval))
    assert signed.status == EXIT_DONE, signed.err
    git(lab.folder, "checkout", "--quiet", "main")
    (lab.folder / "README.md").write_text("Meanwhile.")
    git(lab.folder, "add", ".")
    git(lab.folder, "commit", "--quiet", "--message=Meanwhile")
    git(lab.folder, "merge", "--quiet", "--no-ff", "--message=Merge", "topic")
    merged = lab.plan()
    assert lab.run("apply").status == EXIT_SEALED_PLAN
    added = lab.run("approve", "--add", str(approval), "--output", "json")
    assert added.status == EXIT_DONE, added.err + added.out
    assert added.data["approvals"][0]["carried_from"]["name"] == request.name
    applied = lab.run("apply", merged.name)
    assert applied.status == EXIT_DONE, applied.err
    entries = lab.run("history", "--output", "json").data["entries"]
    (started,) = [each for each in entries if each["event"] == "apply-start"]
    assert started["details"]["carried_from"] == request.name
    lab.model({STACK: {"resource": {"terraform_data": {"it": {"input": "z"}}}}})
    lab.plan()
    refused = lab.run("approve", "--add", str(approval))
    assert refused.status == EXIT_SEALED_PLAN
    for part in ("code", "resource terraform_data.it"):
        assert part in refused.err
