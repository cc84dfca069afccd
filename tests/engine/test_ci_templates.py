"""The CI templates' steps as they stand, in fresh clones, against the sandbox: plan to drift.

A forge cannot run here. What it does itself (checking out, artifacts, `${{ }}`) is done by
tests/support/ci_jobs.py, and its API by tests/support/forge_server.py, a stand-in.
"""

from __future__ import annotations

import base64
import gzip
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.ci_jobs import GitHubJob, Machine, clone_at
from tests.support.ci_lab import PASSPHRASE, ROLES, STACK, Lab, approval, team
from tests.support.forge_server import PERSON
from tests.support.git import git
from tests.support.project import ROOT

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A team whose repository is this project's HEAD and their settings, as docs/ci.md has it."""
    if not (ROOT / ".git").exists():
        pytest.skip("no Git repository here to clone")
    with team(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture(scope="module")
def branch(lab: Lab) -> str:
    """A pull request's commit, not merged yet."""
    git(lab.origin, "checkout", "--quiet", "-b", "change")
    path = lab.origin / "environments" / f"{STACK}.tfvars"
    path.write_text(path.read_text() + 'instance_type = "t3.medium"\n')
    commit = lab.commit("Take a smaller VM")
    git(lab.origin, "checkout", "--quiet", "main")
    return commit


@pytest.fixture(scope="module")
def planned(lab: Lab, branch: str) -> Machine:
    """The machine that planned the pull request."""
    machine = lab.machine("plan")
    job = lab.github(
        "plan",
        "plan",
        machine,
        **{
            "github.event_name": "pull_request",
            "github.event.pull_request.head.sha": branch,
            "github.event.pull_request.head.repo.full_name": "lab/biomodal",
        },
    )
    assert job.is_run()
    assert job.run() == 0, job.log
    assert "to create" in job.log
    lab.forge.runs["77"] = {
        "path": ".github/workflows/plan.yml",
        "head_sha": branch,
        "head_repository": {"full_name": "lab/biomodal"},
        "event": "pull_request",
        "head_branch": "topic",
    }
    lab.forge.pulls = [{"number": 1, "head": {"sha": branch}, "base": {"ref": "main"}}]
    return machine


def artifact(lab: Lab, name: str) -> Path:
    """Return what was kept under a name."""
    return lab.folder / "artifacts" / name


def digest_of(lab: Lab) -> str:
    """Return the digest that the report names, as its last line does."""
    report = (artifact(lab, f"report-{STACK}") / "report.md").read_text()
    return report.strip().rpartition("sha256=")[2]


def apply_job(lab: Lab, machine: Machine, **changed: str) -> GitHubJob:
    """Return the apply of what was planned, started by hand with what the report says."""
    inputs = {
        "inputs.stack": STACK,
        "inputs.plan_run": "77",
        "inputs.sha256": digest_of(lab),
        "inputs.confirm": "",
        "inputs.approvals": "",
    }
    return lab.github("apply", "apply", machine, **{**inputs, **changed})


def test_a_fork_gets_no_credentials(lab: Lab) -> None:
    """The job that holds a role does not begin for a pull request of another repository."""
    for head, runs in (("lab/biomodal", True), ("mallory/biomodal", False)):
        job = lab.github(
            "plan",
            "plan",
            lab.machine("fork"),
            **{
                "github.event_name": "pull_request",
                "github.event.pull_request.head.repo.full_name": head,
            },
        )
        assert job.is_run() is runs


def test_what_a_plan_leaves_behind(lab: Lab, planned: Machine) -> None:
    """A report for people, a sealed plan that only the passphrase opens, nothing in the clear."""
    assert sorted(each.name for each in artifact(lab, f"report-{STACK}").iterdir()) == [
        "plan.sarif",
        "report.html",
        "report.md",
    ]
    archive = (artifact(lab, f"plan-{STACK}") / "plan.tar.enc").read_bytes()
    assert archive.startswith(b"Salted__")
    assert STACK.encode() not in archive
    assert list(planned.clone.rglob("*.tfplan")) == []
    assert git(planned.clone, "status", "--porcelain") == ""


def test_one_comment_is_written_anew(lab: Lab, planned: Machine) -> None:
    """Each push changes our comment, and nobody else's."""
    report = (artifact(lab, f"report-{STACK}") / "report.md").read_text()
    first_line = report.partition("\n")[0]
    theirs: dict[str, Any] = {"id": 1, "user": PERSON, "body": f"{first_line}\nmine"}
    lab.forge.comments[:] = [
        theirs,
        *({"id": n, "user": PERSON, "body": ""} for n in range(2, 121)),
    ]
    for _ in range(2):
        job = lab.github(
            "plan",
            "comment",
            lab.machine("comment"),
            **{
                "github.event_name": "pull_request",
                "github.event.pull_request.base.sha": lab.head(),
                "github.event.pull_request.number": "1",
                "github.event.pull_request.head.sha": lab.head(),
                "needs.plan.result": "success",
            },
        )
        assert job.is_run()
        assert job.run() == 0, job.log
    assert lab.forge.calls == [
        "POST /repos/lab/biomodal/issues/1/comments",
        "POST /repos/lab/biomodal/code-scanning/sarifs",
        "PATCH /repos/lab/biomodal/issues/comments/121",
        "POST /repos/lab/biomodal/code-scanning/sarifs",
    ]
    scanned = json.loads(gzip.decompress(base64.b64decode(lab.forge.scans[-1]["sarif"])))
    assert scanned["version"] == "2.1.0"
    body = lab.forge.comments[-1]["body"]
    assert body == report
    assert len(body.encode()) < 65_536
    assert f"gh workflow run apply.yml -f stack={STACK} -f plan_run=77 -f sha256=" in body
    assert theirs["body"].endswith("mine")


def test_nothing_is_applied_before_the_merge(lab: Lab, planned: Machine) -> None:
    """The plan of a commit that the protected branch does not hold is refused, before any role."""
    job = apply_job(lab, lab.machine("early", "apply"))
    assert job.run() == 1
    assert "Merge first" in job.log
    assert "set up already" not in job.log


@pytest.fixture(scope="module")
def merged(lab: Lab, branch: str, planned: Machine) -> str:
    """The commit of the merge: another one, with the same files."""
    git(lab.origin, "merge", "--quiet", "--no-ff", "--message", "Merge", "change")
    commit = lab.head()
    lab.forge.trees[commit] = git(lab.origin, "rev-parse", "HEAD^{tree}")
    assert commit != branch
    return commit


def test_only_what_was_approved_is_applied(lab: Lab, merged: str) -> None:
    """Another digest, a changed artifact and a changed plan are refused; nothing is made."""
    before = lab.sandbox.leftovers()
    archive = artifact(lab, f"plan-{STACK}") / "plan.tar.enc"
    content = archive.read_bytes()
    machine = lab.machine("refused", "apply")
    damaged = content[:5000] + bytes([content[5000] ^ 1]) + content[5001:]
    for found, digest, line in (
        (content, "0" * 64, f"and {'0' * 64} was approved"),
        (damaged, digest_of(lab), ""),
        (with_another_plan(lab, archive), digest_of(lab), "the plan file was changed"),
    ):
        archive.write_bytes(found)
        job = apply_job(lab, machine, **{"inputs.sha256": digest})
        assert job.run() == 4, job.log
        assert line in job.log
        assert list(machine.clone.rglob("*.tfplan")) == []
    archive.write_bytes(content)
    assert lab.sandbox.leftovers() == before


def with_another_plan(lab: Lab, archive: Path) -> bytes:
    """Return the artifact with a plan file that somebody edited who has the passphrase."""
    folder = lab.folder / "edited"
    folder.mkdir()
    cipher = ["openssl", "enc", "-aes-256-cbc", "-pbkdf2", "-iter", "600000"]
    key = ["-pass", f"pass:{PASSPHRASE}"]
    packed = subprocess.run(
        [*cipher, "-d", *key, "-in", str(archive)], capture_output=True, check=True
    ).stdout
    subprocess.run(["tar", "-C", str(folder), "-xpf", "-"], input=packed, check=True)
    (plan,) = folder.rglob("plan.tfplan")
    plan.write_bytes(plan.read_bytes() + b"edited")
    packed = subprocess.run(
        ["tar", "-C", str(folder), "-cf", "-", STACK], capture_output=True, check=True
    ).stdout
    return subprocess.run([*cipher, *key], input=packed, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def signed(lab: Lab, merged: str) -> str:
    """What somebody signed at a workstation, with the artifact and the passphrase."""
    desk = lab.machine("desk")
    clone_at(lab.origin, desk.clone, merged)
    target = desk.clone / "ci" / "out" / STACK
    target.mkdir(parents=True)
    shutil.copy(artifact(lab, f"plan-{STACK}") / "plan.tar.enc", target)
    return approval(lab, desk, STACK, PLAN_PASSPHRASE=PASSPHRASE)


def test_without_an_approval_nothing_is_applied(lab: Lab, signed: str) -> None:
    """The stack asks for a signature: the digest and the passphrase are not enough."""
    job = apply_job(lab, lab.machine("unsigned", "apply"))
    assert job.run() == 4, job.log
    assert "0 of 1 approvals" in job.log


@pytest.fixture(scope="module")
def applied(lab: Lab, signed: str) -> GitHubJob:
    """The apply of what was approved, elsewhere and as somebody else."""
    job = apply_job(lab, lab.machine("apply", "apply"), **{"inputs.approvals": signed})
    assert job.is_run()
    assert job.run() == 0, job.log
    return job


def test_another_machine_applies_exactly_that_plan(
    lab: Lab, planned: Machine, applied: GitHubJob
) -> None:
    """Another clone in another place, somebody who may write, the digest: done, and done once."""
    assert f"planned as arn:aws:iam::{lab.sandbox.account_id}:user/plan" in applied.log
    assert list(applied.machine.clone.rglob("*.tfplan")) == []
    again = apply_job(lab, lab.machine("again", "apply", clone=planned.clone))
    assert again.run() == 4, again.log
    assert "state" in again.log


def test_a_change_by_hand_is_found_at_night(lab: Lab, planned: Machine, applied: GitHubJob) -> None:
    """It fails the job, and stands in one issue until it is gone."""
    ec2 = lab.sandbox.client("ec2")
    (instance,) = (
        each["InstanceId"]
        for found in ec2.describe_instances()["Reservations"]
        for each in found["Instances"]
    )
    ec2.create_tags(Resources=[instance], Tags=[{"Key": "environment", "Value": "by-hand"}])
    drifted = lab.github("drift", "drift", lab.machine("night", clone=planned.clone))
    # The roles' stack was never applied: it cannot be compared, which is no health either.
    assert drifted.run() == 2, drifted.log
    assert f"{ROLES}: nothing is applied yet" in drifted.log
    assert "changed outside Terraform: `aws_instance." in drifted.log
    assert '`"by-hand"`' in drifted.log
    for result in ("failure", "failure", "success"):
        job = lab.github("drift", "issue", lab.machine("issue"), **{"needs.drift.result": result})
        assert job.run() == 0, job.log
    (issue,) = lab.forge.issues
    assert "by-hand" in issue["body"]
    assert issue["state"] == "closed"


def test_gitlab_goes_the_same_way(lab: Lab, planned: Machine, applied: GitHubJob) -> None:
    """Plan, note, approval, and the apply of that plan by the digest that its pipeline handed on.

    The sealed plan goes through the bucket of plan_store, without a passphrase.
    """
    lab.forge.comments.clear()
    stored = {"PLAN_STORE": "1"}
    plan = lab.gitlab("plan", lab.machine("gitlab-plan", "owner", clone=planned.clone), **stored)
    ran = plan.run()
    assert ran.status == 0, ran.log
    counts = json.loads((plan.machine.clone / "ci" / "out" / ROLES / "counts.json").read_text())
    assert counts == {"create": 1, "update": 0, "delete": 0}
    comment = lab.gitlab("comment", lab.machine("gitlab-comment"))
    plan.artifacts(ROLES, comment.machine.clone)
    for _ in range(2):
        assert comment.run().status == 0
    (note,) = lab.forge.comments
    assert note["body"].startswith(f"<!-- biomodal-aws plan: {ROLES} -->")
    apply = lab.gitlab(
        "apply", lab.machine("gitlab-apply", "owner", clone=applied.machine.clone), **stored
    )
    handed_on = plan.artifacts(ROLES, apply.machine.clone)
    assert handed_on.keys() == {"PLAN_ID", "PLAN_SHA256", "PLAN_STATUS"}
    desk = lab.machine("gitlab-desk", "owner")
    clone_at(lab.origin, desk.clone, lab.head())
    assert not (apply.machine.clone / "ci" / "out" / ROLES / "plan.tar.enc").exists()
    digest = handed_on["PLAN_SHA256"]
    signed = approval(lab, desk, ROLES, **stored, PLAN_SHA256=digest, **desk.credentials)
    assert "0 of 1 approvals" in apply.run(**handed_on).log
    exchanged = apply.run(**{**handed_on, "PLAN_SHA256": "0" * 64}, APPROVALS=signed)
    assert (exchanged.status, "sealed another plan" in exchanged.log) == (4, True), exchanged.log
    ran = apply.run(**handed_on, APPROVALS=signed)
    assert ran.status == 0, ran.log
    found = lab.gitlab(
        "drift", lab.machine("gitlab-drift", "owner", clone=planned.clone), STACKS=ROLES
    ).run()
    assert (found.status, "as Terraform left it" in found.log) == (0, True), found.log
