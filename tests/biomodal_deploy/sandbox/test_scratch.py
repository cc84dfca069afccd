"""The scratch copy: it has the project's sources, nothing of its state, and no way back."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from biomodal_deploy.errors import UsageError
from biomodal_deploy.sandbox import scratch
from biomodal_deploy.sandbox.scratch import Scratch, copy_project, scratch_environment
from biomodal_deploy.workflow.location import Location
from tests.support.git import git, git_repository
from tests.support.project import contents


def write(folder: Path, *names: str) -> None:
    """Write files that hold their own name."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def project_of(folder: Path, **settings: Any) -> Path:
    """Write a `cdktf.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cdktf.json").write_text(json.dumps({"app": "true", **settings}))
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with nothing but that."""
    return project_of(tmp_path / "project")


def copied(project: Path, tmp_path: Path, output: Path | None = None) -> Scratch:
    """Copy a project."""
    return copy_project(project, tmp_path / "scratch" / "copy", output or project / "cdktf.out")


def test_sources_are_copied_and_what_a_run_writes_is_not(project: Path, tmp_path: Path) -> None:
    """Var-files, lock files and code come along; state, plans and Terraform's data do not."""
    sources = (
        *("main.py", "terraform.tfvars", "environments/prod.tfvars", "locks/a.terraform.lock.hcl"),
        *("stacks/state/__init__.py", "evil.tfstate.tf", "cdktf.out/stacks/a/cdk.tf.json"),
    )
    stack = "cdktf.out/stacks/a"
    written = (
        *("state/a.tfstate", "state/backups/a.migration.json"),
        *("plans/a/history.jsonl", "plans/a/ssh/known_hosts"),
        f"{stack}/.terraform/terraform.tfstate",
        f"{stack}/terraform.tfstate.d/ws/terraform.tfstate",
        *(".terraform/environment", ".terraform.tfstate.lock.info", "terraform.tfstate"),
        *("terraform.tfstate.backup", "terraform.tfstate.1700000000.backup"),
    )
    write(project, *sources, *written)
    nested = project_of(project / "deploy" / "other")
    write(nested, "app.py", "plans/b/history.jsonl", "state/b.tfstate")
    found = contents(copied(project, tmp_path).folder)
    assert set(found) == {*sources, "cdktf.json", "deploy/other/cdktf.json", "deploy/other/app.py"}


def test_nothing_of_the_copy_leads_back(project: Path, tmp_path: Path) -> None:
    """Links out of the project are followed, hard links cut, and loops and pipes left out."""
    write(tmp_path, "shared/a.tfvars", "project/one")
    (project / "shared").symlink_to(tmp_path / "shared")
    (project / "shared" / "up").symlink_to(project)
    (project / "gone").symlink_to(tmp_path / "gone")
    os.link(project / "one", project / "two")
    os.mkfifo(project / "pipe")
    (project / "one").chmod(0o444)
    before = contents(tmp_path)
    copy = copied(project, tmp_path).folder
    assert set(contents(copy)) == {"cdktf.json", "one", "two", "shared/a.tfvars"}
    for path in copy.rglob("*"):
        if path.is_file():
            path.write_text("changed")
    assert {name: (tmp_path / name).read_bytes() for name in before} == before


def test_installed_packages_are_linked(project: Path, tmp_path: Path) -> None:
    """A virtual environment of any name, and Node's packages."""
    write(project, "venv/pyvenv.cfg", "node_modules/a/index.js")
    copy = copied(project, tmp_path).folder
    assert (copy / "venv").is_symlink()
    assert (copy / "node_modules").is_symlink()


def test_git_knows_the_copy_and_writes_to_it(project: Path, tmp_path: Path) -> None:
    """The same commit, clean; a commit there leaves the repository as it was."""
    write(project, "main.py")
    git_repository(project)
    before = contents(project)
    copy = copied(project, tmp_path).folder
    assert git(copy, "rev-parse", "HEAD") == git(project, "rev-parse", "HEAD")
    assert git(copy, "status", "--porcelain") == ""
    write(copy, "more.py")
    git(copy, "add", ".")
    git(copy, "commit", "-qm", "second")
    assert contents(project) == before


def test_the_copy_may_be_made_inside_the_project(project: Path, tmp_path: Path) -> None:
    """As with `--keep` there, or a temporary directory there: it does not copy itself."""
    copy = copy_project(project, project / "tmp" / "copy", project / "cdktf.out").folder
    assert set(contents(copy)) == {"cdktf.json"}


def test_too_large_a_folder_is_refused(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home directory is no project."""
    monkeypatch.setattr(scratch, "_LIMIT_FILES", 2)
    write(project, "a", "b")
    with pytest.raises(UsageError, match="too large"):
        copied(project, tmp_path)


@pytest.mark.parametrize("outdir", ["/elsewhere/out", "../out", "."])
def test_an_output_folder_elsewhere_is_not_followed(
    project: Path, tmp_path: Path, outdir: str
) -> None:
    """CDKTF_OUTDIR, or `output`, outside the project: its state would be written beside it."""
    copy = copied(project, tmp_path, project / outdir)
    assert copy.output == copy.folder / "cdktf.out"
    assert "CDKTF_OUTDIR" not in copy.environment({"CDKTF_OUTDIR": outdir})


def test_an_output_folder_deeper_in_the_project_stays_where_it_is(
    project: Path, tmp_path: Path
) -> None:
    """And the state beside it is left behind."""
    write(project, "build/state/a.tfstate", "build/state/note", "build/out/manifest.json")
    copy = copied(project, tmp_path, project / "build" / "out")
    assert set(contents(copy.folder)) == {"cdktf.json", "build/out/manifest.json"}
    variables = copy.environment({"CDKTF_OUTDIR": str(project / "build" / "out")})
    assert variables["CDKTF_OUTDIR"] == str(copy.folder / "build" / "out")


def test_what_names_the_project_names_its_copy(project: Path, tmp_path: Path) -> None:
    """In arguments, in variables that programs find files by, and as the folder to run in."""
    (project / "sub").mkdir()
    copy = copied(project, tmp_path)
    assert copy.text(f"-chdir={project}/cdktf.out") == f"-chdir={copy.folder}/cdktf.out"
    assert copy.text(f"{project}-2 {project}") == f"{project}-2 {copy.folder}"
    variables = copy.environment(
        {
            "PYTHONPATH": f"/x:{project}/constructs",
            "BIOMODAL_PROJECT_DIR": "project",
            "HOME": str(project),
            "TF_DATA_DIR": "/elsewhere",
            "TF_CLI_ARGS_apply": "-state=/elsewhere",
            "GIT_DIR": "/elsewhere",
        }
    )
    assert variables["PYTHONPATH"] == f"/x:{copy.folder}/constructs"
    assert variables["BIOMODAL_PROJECT_DIR"] == str(copy.folder)
    assert variables["HOME"] == str(project)
    assert not {"TF_DATA_DIR", "TF_CLI_ARGS_apply", "GIT_DIR"}.intersection(variables)
    assert copy.directory(project / "sub") == copy.folder / "sub"
    assert copy.directory(tmp_path) == copy.folder


def test_states_that_the_sandbox_cannot_stand_in_for_become_files(tmp_path: Path) -> None:
    """HCP Terraform and partial configurations; a bucket is one of the sandbox's own."""
    backends: dict[str, Any] = {
        "a": {"kind": "cloud", "organization": "acme"},
        "b": {"kind": "partial", "type": "http", "config_files": ["b.hcl"]},
        "c": {"kind": "s3", "bucket": "states", "region": "eu-west-2", "profile": "prod"},
    }
    context = {"stacks": {name: {"backend": each} for name, each in backends.items()}}
    project = project_of(tmp_path / "project", context=context)
    copy = copied(project, tmp_path)
    bucket = {"kind": "s3", "bucket": "states", "region": "eu-west-2"}
    wanted = {"a": {}, "b": {}, "c": {"backend": bucket}}
    found = json.loads((copy.folder / "cdktf.json").read_text())
    assert found["context"]["stacks"] == wanted
    assert [note.partition(":")[0] for note in copy.notes] == ["a", "b"]
    variables = copy.environment({"CDKTF_CONTEXT_JSON": json.dumps(context)})
    assert json.loads(variables["CDKTF_CONTEXT_JSON"])["stacks"] == wanted


def test_a_rehearsal_stays_in_its_copy(project: Path, tmp_path: Path) -> None:
    """Another project, or an output folder elsewhere, is refused from inside."""
    copy = copied(project, tmp_path)
    inside = copy.environment({})
    assert Location.of(copy.folder, inside).output == copy.output
    with pytest.raises(UsageError, match="--project-dir"):
        Location.of(project, inside)
    with pytest.raises(UsageError, match="CDKTF_OUTDIR"):
        Location.of(copy.folder, {**inside, "CDKTF_OUTDIR": str(project / "cdktf.out")})


def test_the_demo_leaves_out_what_moves_its_state() -> None:
    """With CDKTF_OUTDIR of the caller's project, the demo would write there."""
    moving = {"CDKTF_OUTDIR": "/x", "TF_DATA_DIR": "/x", "TF_CLI_ARGS": "-state=/x"}
    assert scratch_environment({**moving, "PATH": "/bin"}) == {"PATH": "/bin"}
