"""What the CI templates must never do, read from them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.ci_jobs import read_template
from tests.support.processes import run_program
from tests.support.project import ROOT

WORKFLOWS = sorted(path.name for path in (ROOT / "ci" / "github").glob("*.yml"))


def jobs(name: str) -> dict[str, Any]:
    """Return the jobs of a workflow."""
    found: dict[str, Any] = read_template(f"github/{name}")["jobs"]
    return found


def steps(name: str) -> Iterator[dict[str, Any]]:
    """Yield every step of a workflow."""
    for job in jobs(name).values():
        yield from job["steps"]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_token_may_no_more_than_its_job(name: str) -> None:
    """Nothing is granted to all jobs; who may assume a role may write nothing at the forge."""
    workflow = read_template(f"github/{name}")
    assert workflow["permissions"] == {}
    assert "pull_request_target" not in workflow["on"]
    for job in workflow["jobs"].values():
        writes = {scope for scope, grant in job["permissions"].items() if grant == "write"}
        assert writes == {"id-token"} or "id-token" not in writes
        if "id-token" in writes:
            assert "environment" in job
        assert job["timeout-minutes"] <= 90


@pytest.mark.parametrize("name", WORKFLOWS)
def test_actions_are_pinned(name: str) -> None:
    """By the whole commit, with the version for people; and no checkout leaves a token behind."""
    text = (ROOT / "ci" / "github" / name).read_text()
    uses = re.findall(r"uses: (.*)", text)
    assert uses
    assert [
        each for each in uses if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", each)
    ] == []
    for step in steps(name):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("name", WORKFLOWS)
def test_nothing_that_others_write_becomes_shell(name: str) -> None:
    """An expression in a script is text that somebody chose: it comes as a variable instead."""
    assert [step["run"] for step in steps(name) if "${{" in step.get("run", "")] == []


@pytest.mark.parametrize("name", WORKFLOWS)
def test_no_job_is_cancelled_by_another(name: str) -> None:
    """A forge waits for seconds, and a Terraform that is killed leaves its lock."""
    workflow = read_template(f"github/{name}")
    groups = [workflow.get("concurrency"), *(job.get("concurrency") for job in jobs(name).values())]
    found = [each for each in groups if each]
    assert found
    assert all(each["cancel-in-progress"] is False for each in found)


def test_the_passphrase_goes_to_the_scripts_alone() -> None:
    """No action of others sees it."""
    for name in WORKFLOWS:
        for step in steps(name):
            if "secrets." in str(step):
                assert step["run"] in {"ci/plan.sh", "ci/apply.sh"}


def test_what_stands_in_the_templates_is_sound_shell(tmp_path: Path) -> None:
    """`make check` runs shellcheck on the scripts; this is the rest."""
    pipeline = read_template("gitlab/.gitlab-ci.yml")
    scripts = [step["run"] for name in WORKFLOWS for step in steps(name) if "run" in step]
    scripts += [
        "\n".join([*job.get("before_script", []), *job.get("script", [])])
        for job in pipeline.values()
        if isinstance(job, dict)
    ]
    for number, script in enumerate(scripts):
        (tmp_path / f"{number}.sh").write_text(f"#!/bin/bash\n{script}\n")
    done = run_program([Path(sys.executable).parent / "shellcheck", *sorted(tmp_path.glob("*.sh"))])
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", ["apply.sh", "approve.sh", "plan.sh"])
@pytest.mark.parametrize("name", ["../..", "..", "a/b", "-rf", "a b", "a;id", "a\n\x1b[31m", "*"])
def test_a_name_that_leaves_its_folder_is_refused(tmp_path: Path, script: str, name: str) -> None:
    """A stack's name is part of paths that are emptied and written: nothing else goes there."""
    done = run_in_copy(tmp_path, script, STACK=name)
    assert done.returncode == 64
    assert len(done.stderr.splitlines()) == 1
    assert "\x1b" not in done.stderr
    assert (tmp_path / "kept").exists()
    assert not (tmp_path / "ci" / "out").exists()


@pytest.mark.parametrize("given", ["!!!", "*", "aGVsbG8="])
def test_what_is_no_approval_is_refused_in_one_line(tmp_path: Path, given: str) -> None:
    """The line names APPROVALS, and no star becomes names of files."""
    unpack = "unpacked=$(mktemp -d); id=x; sealed=\n"
    done = run_in_copy(tmp_path, "apply.sh", unpack=unpack, STACK="lab", APPROVALS=given)
    assert done.returncode == 64
    assert len(done.stderr.splitlines()) == 1
    assert "APPROVALS" in done.stderr
    assert "kept" not in done.stderr


def run_in_copy(
    folder: Path, script: str, *, unpack: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run one of the scripts in a folder of its own, where nothing is installed."""
    shutil.copytree(ROOT / "ci", folder / "ci", ignore=shutil.ignore_patterns("out"))
    (folder / "kept").touch()
    if unpack:
        (folder / "ci" / "unpack.sh").write_text(unpack)
    given = {"PATH": "/usr/bin:/bin", "PLAN_SHA256": "0" * 64, "PLAN_PASSPHRASE": "x"}
    return run_program(
        ["bash", folder / "ci" / script], cwd=folder, env={**given, **environment}, timeout=30
    )


def test_gitlab_applies_on_the_protected_branch_by_hand() -> None:
    """And a merge request of a fork gets no pipeline."""
    pipeline = read_template("gitlab/.gitlab-ci.yml")
    (rule,) = pipeline[".apply"]["rules"]
    assert rule["when"] == "manual"
    assert "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH" in rule["if"]
    requests, branch = (each["if"] for each in pipeline["workflow"]["rules"])
    assert "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID" in requests
    assert branch == "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"


def test_gitlabs_settings_are_asked_for_where_no_role_can_be_assumed() -> None:
    """Each merge request and each night; the token that may write is in no job with a role."""
    pipeline = read_template("gitlab/.gitlab-ci.yml")
    asking = {
        name
        for name, job in pipeline.items()
        if isinstance(job, dict) and "python3 ci/forge.py settings" in job.get("script", [])
    }
    assert asking == {"comment", "issue"}
    assert not [name for name in asking if "extends" in pipeline[name]]


def test_a_session_lasts_as_long_as_the_job_that_applies() -> None:
    """Credentials that end before it break an apply off halfway."""
    for name in WORKFLOWS:
        for job in jobs(name).values():
            for step in job["steps"]:
                if "role-to-assume" in step.get("with", {}):
                    seconds = step["with"].get("role-duration-seconds", 3600)
                    assert seconds >= job["timeout-minutes"] * 60, name
