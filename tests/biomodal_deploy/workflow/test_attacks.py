"""Every way to make another plan run than the approved one, each refused with its own reason."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from biomodal_deploy.errors import EXIT_DONE, EXIT_ENGINE, EXIT_SEALED_PLAN, EXIT_USAGE
from tests.support.git import git
from tests.support.light import MODEL, STACK, Ended, LightProject, Prepared

pytestmark = [pytest.mark.engine]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """A project with an install script, a var-file and a sealed plan, nothing applied."""
    folder = tmp_path_factory.mktemp("attacks") / "project"
    made = LightProject(folder, {STACK: MODEL, "other": MODEL})
    (made.folder / "terraform.tfvars").write_text('word = "approved"\n')
    (made.folder / "scripts").mkdir()
    (made.folder / "scripts" / "install_script.sh").write_text("echo approved\n")
    made.plan("--stack", STACK)
    return Prepared.of(made)


@pytest.fixture
def project(prepared: Prepared) -> LightProject:
    """That project, as it was."""
    return prepared.fresh()


@pytest.fixture
def sealed_plan(project: LightProject) -> Path:
    """Its sealed plan."""
    (manifest,) = project.plans.glob("*/manifest.json")
    return manifest.parent


def apply(project: LightProject, *words: str, **environment: str) -> Ended:
    """Apply the stack's newest plan."""
    return project.run(
        "apply", "--stack", STACK, "--output", "json", *words, environment=environment
    )


def refused(ended: Ended, words: str) -> None:
    """Assert a refusal that names the difference, and that nothing was applied."""
    assert ended.status == EXIT_SEALED_PLAN, ended.out + ended.err
    assert words in ended.error["message"], ended.error["message"]
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        # Terraform would build a second copy of everything in the other workspace.
        ({"TF_WORKSPACE": "prod"}, "TF_WORKSPACE is prod"),
        ({"TF_DATA_DIR": "elsewhere"}, "TF_DATA_DIR"),  # it may hold another backend
        # A plan belongs to the version that made it.
        ({"BIOMODAL_TERRAFORM": "embedded"}, "Terraform version"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_another_environment_is_refused(
    project: LightProject, environment: dict[str, str], words: str
) -> None:
    """What Terraform would read from it is that of the approved plan."""
    refused(apply(project, **environment), words)


def test_another_stacks_plan_is_refused(project: LightProject, sealed_plan: Path) -> None:
    """Terraform would write to the first stack's state from the second one's directory."""
    ended = project.run("apply", str(sealed_plan), "--stack", "other", "--output", "json")
    refused(ended, "planned with stack light")


def test_a_plan_of_another_checkout_is_refused(
    project: LightProject, sealed_plan: Path, tmp_path: Path
) -> None:
    """The same project in another folder has another state."""
    copy = tmp_path / "copy"
    shutil.copytree(project.folder, copy)
    moved = LightProject(copy, {STACK: MODEL, "other": MODEL})
    refused(apply(moved, str(sealed_plan)), "state")


def test_an_edited_plan_inside_the_zip_is_refused(project: LightProject, sealed_plan: Path) -> None:
    """Terraform would run the edit, and `terraform show` would print the original."""
    plan_file = sealed_plan / "plan.tfplan"
    edited = plan_file.with_suffix(".edited")
    with zipfile.ZipFile(plan_file) as before, zipfile.ZipFile(edited, "w") as after:
        for name in before.namelist():
            content = before.read(name).replace(b"approved", b"modified")
            after.writestr(name, content)
    edited.replace(plan_file)
    plan_file.chmod(0o600)
    refused(apply(project), "the plan file was changed after it was sealed")


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        # A longer life, another account or another digest cannot be written in.
        (
            "plans/light/2*/manifest.json",
            '"2',
            '"3',
            "The manifest was changed after it was sealed",
        ),
        ("plans/light/2*/changes.json", "first", "final", "changes.json"),
        ("terraform.tfvars", "approved", "other", "terraform.tfvars changed after planning"),
        ("scripts/install_script.sh", "ap", "un", "install_script.sh changed after planning"),
        # Terraform ignores this edit; who made it believes otherwise.
        ("cdktf.out/stacks/light/cdk.tf.json", "hello", "hallo", "the synthesized stack"),
    ],
)
def test_an_edited_file_is_refused(
    project: LightProject, file: str, old: str, new: str, words: str
) -> None:
    """What a reviewer read, with its dates and digests, is what the project holds and runs."""
    (path,) = project.folder.glob(file)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    refused(apply(project), words)


def test_a_state_that_moved_on_is_refused(project: LightProject, sealed_plan: Path) -> None:
    """Somebody applied another plan in between."""
    project.plan("--stack", STACK, "--var", "word=second")
    assert apply(project).status == EXIT_DONE
    refused(apply(project, str(sealed_plan)), "there was no state when it was planned")


def test_a_used_plan_and_a_copy_of_it_are_refused(
    project: LightProject, sealed_plan: Path, tmp_path: Path
) -> None:
    """A plan is good for one apply, also where Terraform would take it again."""
    kept = tmp_path / "kept"
    shutil.copytree(sealed_plan, kept)
    assert apply(project).status == EXIT_DONE
    refused(apply(project, str(sealed_plan)), "applied at")
    shutil.rmtree(sealed_plan)
    shutil.copytree(kept, sealed_plan)
    refused(apply(project, str(sealed_plan)), "was applied before")


def test_an_expired_plan_is_refused(tmp_path: Path) -> None:
    """A plan lives as long as the stack's settings say."""
    settings = {"stacks": {STACK: {"plan_hours": 0.0001}}}
    project = LightProject(tmp_path / "project", context=settings)
    project.plan()
    subprocess.run([sys.executable, "-c", "import time; time.sleep(0.5)"], check=True)
    refused(apply(project), "expired at")


def test_a_sealed_plan_that_others_can_read_is_refused(
    project: LightProject, sealed_plan: Path
) -> None:
    """Whoever could read it has its secrets; whoever could write it made it another."""
    sealed_plan.chmod(0o755)
    refused(apply(project), "is open to others")


def test_another_digest_than_the_approved_one_is_refused(
    project: LightProject, sealed_plan: Path
) -> None:
    """It pins all of it; that of the plan file says nothing of expiry, verdicts and author."""
    manifest = json.loads((sealed_plan / "manifest.json").read_bytes())
    for digest in ("0" * 64, manifest["plan_sha256"]):
        refused(apply(project, "--expect-sha256", digest), "was approved")


def test_another_commit_is_refused(project: LightProject) -> None:
    """The sources are those that were reviewed."""
    git(project.folder, "init", "-q")
    (project.folder / ".gitignore").write_text("cdktf.out\nstate\nplans\nhome\n")
    git(project.folder, "add", "-A")
    git(project.folder, "commit", "-q", "-m", "first")
    project.plan("--stack", STACK)
    git(project.folder, "commit", "-q", "--allow-empty", "-m", "second")
    refused(apply(project), "commit")


def test_of_two_applies_at_once_one_passes(project: LightProject, sealed_plan: Path) -> None:
    """The claim is atomic: two people cannot apply one plan."""
    words = ["apply", str(sealed_plan), "--stack", STACK, "--output", "json"]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "biomodal_deploy", *words],
            cwd=project.folder,
            env=project.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]
    statuses = sorted(process.wait(timeout=60) for process in running)
    for process in running:
        assert process.stdout is not None
        process.stdout.close()
    assert statuses == [EXIT_DONE, EXIT_SEALED_PLAN]


def test_arguments_of_the_environment_change_nothing(project: LightProject) -> None:
    """TF_CLI_ARGS and TF_VAR_* of whoever applies do not reach Terraform."""
    assert apply(project, TF_CLI_ARGS="-no-such-flag", TF_VAR_word="other").status == EXIT_DONE
    assert project.run("output", "word", "--stack", STACK).out.strip() == "approved"


@pytest.mark.parametrize("name", ["plan.tfplan", "manifest.json", "changes.json"])
def test_a_link_in_a_files_place_is_refused(
    project: LightProject, sealed_plan: Path, tmp_path: Path, name: str
) -> None:
    """A link could lead to what was never sealed."""
    shutil.move(sealed_plan / name, tmp_path / name)
    (sealed_plan / name).symlink_to(tmp_path / name)
    refused(apply(project), "symbolic link")


@pytest.mark.parametrize("line", [0, 1])
def test_a_history_that_is_broken_anywhere_lets_nothing_run(
    project: LightProject, sealed_plan: Path, line: int
) -> None:
    """A used plan does not run again; the printed way back leads to a new plan, not to the old."""
    kept = project.folder / "kept"
    shutil.copytree(sealed_plan, kept)
    assert apply(project).status == EXIT_DONE
    shutil.rmtree(sealed_plan)
    shutil.copytree(kept, sealed_plan)
    (project.folder / "state" / f"{STACK}.tfstate").unlink()  # as it was when it was planned
    history = project.plans / "history.jsonl"
    lines = history.read_text().splitlines(keepends=True)
    lines[line] = lines[line].replace('"stack"', '"stock"')
    history.write_text("".join(lines))
    for ended in (
        apply(project, str(sealed_plan)),
        project.run("plan", "--stack", STACK, "--output", "json"),
    ):
        refused(ended, f"broken at line {line + 1} ")
        assert ended.error["reason"] == "history_broken"
    history.rename(f"{history}.broken")  # as the message says
    refused(apply(project, str(sealed_plan)), "was applied before")
    assert project.run("plan", "--stack", STACK).status == EXIT_DONE


def test_a_history_of_a_newer_version_is_left_alone(project: LightProject) -> None:
    """`plan` says that a newer version wrote it, and appends no fork."""
    history = project.plans / "history.jsonl"
    newer = json.loads(history.read_text().splitlines()[-1]) | {"format": 99}
    history.write_text(history.read_text() + json.dumps(newer) + "\n")
    before = history.read_bytes()
    refused(project.run("plan", "--stack", STACK, "--output", "json"), "newer version")
    refused(apply(project), "newer version")
    assert history.read_bytes() == before


def test_another_terraform_of_the_same_version_is_refused(
    project: LightProject, tmp_path: Path
) -> None:
    """A version is what a program says of itself."""
    program = tmp_path / "terraform"
    text = f'#!/bin/sh\nexec {shutil.which("terraform")} "$@"\n'
    program.write_text(text)
    program.chmod(0o755)
    chosen = {"BIOMODAL_TERRAFORM": str(program)}
    project.plan("--stack", STACK, environment=chosen)
    program.write_text(f"{text}# another\n")
    refused(apply(project, **chosen), "the program terraform was exchanged after planning")
    program.write_text(text)
    assert apply(project, **chosen).status == EXIT_DONE


def test_another_provider_of_the_same_version_is_refused(tmp_path: Path) -> None:
    """Before the claim Terraform compares what is installed with the lock file, which is sealed."""
    required = {"aws": {"source": "hashicorp/aws", "version": "~> 5.100"}}
    model = {**MODEL, "terraform": {"required_providers": required}}
    project = LightProject(tmp_path / "project", {STACK: model})
    sealed_plan = project.plan("--stack", STACK)
    installed = project.folder / "cdktf.out" / "stacks" / STACK / ".terraform" / "providers"
    (package,) = installed.glob("*/*/*/*/*")
    original = package.resolve()
    package.unlink()
    package.mkdir()
    for file in original.iterdir():
        (package / file.name).symlink_to(file)
    (package / "evil").write_text("")
    ended = apply(project)
    assert ended.status == EXIT_ENGINE
    assert "does not match any of the checksums" in ended.error["message"]
    assert not (sealed_plan / "consumed.json").exists()


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_an_overridden_provider_is_refused(project: LightProject, command: str) -> None:
    """Terraform would run it unseen: neither its version nor its checksum is looked at."""
    home = project.folder / "home"
    home.mkdir(exist_ok=True)
    (home / ".terraformrc").write_text(
        f'provider_installation {{\n dev_overrides {{ "hashicorp/aws" = "{home}" }}\n}}\n'
    )
    ended = project.run(command, "--stack", STACK, "--output", "json")
    assert ended.status == EXIT_USAGE
    assert ended.error["field"] == str(home / ".terraformrc")


def test_a_pipe_in_a_files_place_holds_nothing_up(tmp_path: Path) -> None:
    """Whatever a command reads, a pipe there is refused or passed over, and never waited for."""
    project = LightProject(tmp_path / "project", None, {"stacks": {STACK: {}}})
    project.plan()
    assert project.run("apply").status == EXIT_DONE
    synthesized = f"cdktf.out/stacks/{STACK}"
    terraforms = f"{synthesized}/.terraform"
    refused, passed_over = "not a regular file", ""
    for name, words, said in (
        ("cdktf.json", ["status"], refused),
        ("terraform.tfvars.json", ["plan"], refused),
        (f"locks/{STACK}.terraform.lock.hcl", ["plan"], refused),
        (f"locks/{STACK}.terraform.lock.hcl", ["lock"], refused),
        ("compliance/waivers.json", ["plan"], passed_over),
        (f"state/{STACK}.tfstate", ["plan"], refused),
        (f"state/{STACK}.tfstate", ["output"], refused),
        (f"state/{STACK}.tfstate", ["drift"], refused),
        (f"state/.{STACK}.tfstate.lock.info", ["output"], passed_over),
        (f"{terraforms}/terraform.tfstate", ["output"], refused),
        (f"{terraforms}/environment", ["validate"], refused),
        (f"{synthesized}/evil.tf", ["validate"], refused),
        (f"{synthesized}/evil.auto.tfvars", ["plan"], refused),
        (f"{synthesized}/.terraform.lock.hcl", ["plan"], refused),
        (f"{synthesized}/assets/install.sh", ["apply"], refused),
        (f"plans/{STACK}/history.jsonl", ["history"], "not a regular file of yours"),
        ("home/.terraformrc", ["plan"], refused),
    ):
        path = project.folder / name
        kept = path.read_bytes() if path.exists() else None
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        os.mkfifo(path)
        ended = project.run(*words)
        path.unlink()
        if kept is not None:
            path.write_bytes(kept)
            path.chmod(0o600)
        assert said in ended.err, (name, words, ended.err)
        assert (ended.status == EXIT_USAGE) == bool(said), (name, words, ended.err)
        assert "report it" not in ended.err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_REGION", "eu-west-2\nHost *"),
        ("AWS_DEFAULT_REGION", "eu-west-2\x1b[2J"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9/\nx"),
    ],
)
def test_where_a_plan_goes_is_a_line_of_text(project: LightProject, name: str, value: str) -> None:
    """What the environment says of it is sealed and printed: a line end is refused as such."""
    ended = project.run("plan", "--stack", STACK, environment={name: value})
    assert ended.status == EXIT_USAGE, ended.err
    assert "has control characters" in ended.err
