"""Stacks that leave: plain Terraform, in a folder of its own, manages what was applied here."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest

from biomodal_deploy.errors import EXIT_DONE, EXIT_USAGE
from biomodal_deploy.sandbox import Sandbox
from tests.support.light import Ended, command
from tests.support.native import init_or_skip
from tests.support.project import app_environment, copy_app, run_main, write_stacks
from tests.support.standin import use_standin
from tests.support.terraform import Engine, provider_engine

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("eject")]

SOURCE: Final = "git::https://github.com/cegx-ds/terraform-aws-bootstrap.git?ref=module_update"
EXISTING: Final = "lab-data"
STATES: Final = "lab-states"
STACKS: Final = {
    f"{bootstrap}-{profile}": {"bootstrap": bootstrap, "profile": profile}
    for bootstrap in ("module", "native")
    for profile in ("documented", "hardened")
}
PLAN: Final = ("plan", "-input=false", "-no-color", "-detailed-exitcode")

# Each stack as HCL, and the one with most in it as JSON.
EJECTED: Final = [*((name, "hcl") for name in STACKS), ("native-hardened", "json")]


@dataclass(frozen=True)
class Project:
    """A checkout with the four stacks, applied, and an account on loopback."""

    folder: Path
    terraform: Engine
    sandbox: Sandbox
    variables: Mapping[str, str]

    def eject(self, name: str, target: Path, kind: str) -> Ended:
        """Run the command."""
        words = ("eject", str(target), f"--{kind}", "--stack", name, "--output", "json")
        variables = app_environment(self.folder, dict(self.variables))
        return command(self.folder, words, self.sandbox.environment(variables))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Every stack applied by Terraform itself; a bucket that exists saves a minute's wait."""
    workdir = tmp_path_factory.mktemp("eject")
    folder = copy_app(workdir / "checkout")
    files = {name: {**each, "var_files": [f"{name}.tfvars"]} for name, each in STACKS.items()}
    write_stacks(folder, files)
    done = run_main(folder)
    assert (done.returncode, done.stderr) == (0, "")
    home = workdir / "home"
    home.mkdir()
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    with Sandbox.start(workdir) as sandbox:
        for bucket in (EXISTING, STATES):
            sandbox.client("s3").create_bucket(Bucket=bucket)
        terraform = provider_engine(home, dict(sandbox.environment({})))
        for name in STACKS:
            stack = folder / "cdktf.out" / "stacks" / name
            values = folder / f"{name}.tfvars"
            sandbox.write_tfvars(values, vm_name=name)
            text = f'{values.read_text()}use_existing_bucket_url = "s3://{EXISTING}"\n'
            if name.startswith("module"):
                lines = text.splitlines(keepends=True)
                text = "".join(each for each in lines if not each.startswith("ssh_public_key"))
                use_standin(stack, SOURCE)
                # The module makes it, and the stand-in makes nothing.
                sandbox.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")
            values.write_text(text)
            init_or_skip(terraform, stack)
            terraform.must(stack, "apply", "-auto-approve", "-input=false", f"-var-file={values}")
        yield Project(folder, terraform, sandbox, {"HOME": str(home), "XDG_CACHE_HOME": cache})


def _alone(project: Project, folder: Path) -> Engine:
    """Initialize an ejected folder and return Terraform without anything else on its path."""
    if "module" in folder.name:
        use_standin(folder, SOURCE)
    project.terraform.must(folder, "init", "-input=false")
    path = {"PATH": str(folder)} if len(project.terraform.prefix) == 1 else {}
    return Engine(project.terraform.prefix, {**project.terraform.variables, **path})


@pytest.mark.parametrize(("name", "kind"), EJECTED)
def test_a_plan_has_no_changes(project: Project, tmp_path: Path, name: str, kind: str) -> None:
    """In the ejected folder, without Python, whatever implementation and profile it was."""
    folder = tmp_path / name
    ended = project.eject(name, folder, kind)
    assert ended.status == EXIT_DONE, ended.out + ended.err
    suffix = ".tf.json" if kind == "json" else ".tf"
    wanted = {f"main{suffix}", f"variables{suffix}", f"outputs{suffix}", "terraform.tfvars"}
    assert wanted < set(ended.data["files"])
    formatted = project.terraform(folder, "fmt", "-check", "-recursive")
    assert (formatted.returncode, formatted.stdout) == (0, "")
    alone = _alone(project, folder)
    planned = alone(folder, *PLAN)
    assert planned.returncode == 0, planned.stdout + planned.stderr


def test_a_copy_has_the_state_or_is_refused(project: Project, tmp_path: Path) -> None:
    """Without the state, as on another machine, a plan would create everything a second time."""
    name = "native-documented"
    assert project.eject(name, tmp_path / "first" / name, "hcl").status == EXIT_DONE
    alone = _alone(project, tmp_path / "first" / name)
    shutil.copytree(tmp_path / "first" / name, tmp_path / name, symlinks=True)
    copied = alone(tmp_path / name, *PLAN)
    assert copied.returncode == 0, copied.stdout + copied.stderr
    state, away = project.folder / "state", project.folder / "away"
    state.rename(away)
    try:
        planned = alone(tmp_path / name, *PLAN)
    finally:
        shutil.rmtree(state, ignore_errors=True)  # Terraform locks a state that is not there too
        away.rename(state)
    assert planned.returncode == 1
    assert str(state) in "".join(planned.stderr.replace("│", "").split())


@pytest.mark.parametrize("backend", ["s3", "partial"])
def test_a_state_in_a_bucket(project: Project, tmp_path: Path, backend: str) -> None:
    """The folder names the object, or brings the file that does: the printed init finds it."""
    name, key = "native-documented", f"{backend}/terraform.tfstate"
    place = {"bucket": STATES, "key": key, "region": project.sandbox.region}
    checkout = tmp_path / "checkout"
    shutil.copytree(project.folder, checkout, symlinks=True)
    state = checkout / "state" / f"{name}.tfstate"
    s3 = project.sandbox.client("s3")
    s3.put_object(Bucket=STATES, Key=key, Body=state.read_bytes())
    shutil.rmtree(state.parent)
    settings: dict[str, object] = {"kind": "s3", **place}
    if backend == "partial":
        lines = "".join(f'{word} = "{value}"\n' for word, value in place.items())
        (checkout / "lab.hcl").write_text(lines)
        settings = {"kind": "partial", "type": "s3", "config_files": ["lab.hcl"]}
    write_stacks(
        checkout, {name: {**STACKS[name], "var_files": [f"{name}.tfvars"], "backend": settings}}
    )
    ended = replace(project, folder=checkout).eject(name, tmp_path / name, "hcl")
    assert ended.status == EXIT_DONE, ended.out + ended.err
    shutil.rmtree(checkout)
    init = shlex.split(ended.data["init"])[1:]
    project.terraform.must(tmp_path / name, *init, "-input=false")
    planned = project.terraform(tmp_path / name, *PLAN)
    assert planned.returncode == 0, planned.stdout + planned.stderr


def test_a_folder_that_holds_something_is_refused(project: Project, tmp_path: Path) -> None:
    """Nothing of the user's is overwritten."""
    (tmp_path / "notes").write_text("mine")
    ended = project.eject("native-documented", tmp_path, "hcl")
    assert ended.status == EXIT_USAGE
    assert [each.name for each in tmp_path.iterdir()] == ["notes"]
