"""cdktf's own commands on this project: synth, synth --hcl, deploy and destroy.

The stack uses an existing bucket: the AWS provider waits almost a minute for a new bucket's
lifecycle configuration, and test_native_lifecycle.py has waited for that already.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.config.contract import OUTPUTS
from biomodal_deploy.engine.toolchain import find_node, find_terraform, node_environment, shim
from biomodal_deploy.sandbox import Sandbox
from tests.support.native import NAME, NativeProject, native_project
from tests.support.processes import run_program
from tests.support.project import ROOT, app_environment, contents, copy_app, run_main, write_stacks

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("cdktf-cli")]

BOTH: Final = {"biomodal-aws": {"bootstrap": "module"}, NAME: {"bootstrap": "native"}}
BUCKET: Final = "my-existing-bucket"
COMMAND: Final = ROOT / "node_modules" / ".bin" / "cdktf"


@dataclass(frozen=True)
class Cdktf:
    """The command line in a project's folder."""

    folder: Path  # the project
    variables: Mapping[str, str]  # its environment

    def __call__(self, *arguments: str, timeout: int = 300) -> subprocess.CompletedProcess[str]:
        """Run it."""
        return run_program(
            [str(COMMAND), *arguments], cwd=self.folder, env=dict(self.variables), timeout=timeout
        )

    def must(self, *arguments: str) -> str:
        """Run it, show what it said where it failed, and return its standard output."""
        done = self(*arguments)
        assert done.returncode == 0, f"cdktf {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        return done.stdout


def cdktf_in(folder: Path, home: Path, extra: Mapping[str, str] | None = None) -> Cdktf:
    """Return it, or skip the test where it was not installed."""
    if not COMMAND.exists():
        pytest.skip("cdktf's command line is not installed: make setup")
    # A temporary home, but the user's own cache: the AWS bindings are cut to size once.
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    variables = app_environment(folder, {"HOME": str(home), "XDG_CACHE_HOME": cache})
    variables |= node_environment(find_node(), variables)
    terraform = shim(home / "bin", find_terraform())
    variables |= {
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), variables["PATH"])),
        "TERRAFORM_BINARY_NAME": str(terraform),
        "CHECKPOINT_DISABLE": "1",
        "CDKTF_DISABLE_PLUGIN_CACHE_ENV": "1",
        "CI": "1",
    }
    return Cdktf(folder, variables | dict(extra or {}))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Cdktf:
    """The command line in a checkout with both implementations, which it has synthesized."""
    workdir = tmp_path_factory.mktemp("app")
    folder = copy_app(workdir / "checkout")
    write_stacks(folder, BOTH)
    app = cdktf_in(folder, workdir / "home")
    app.must("synth")
    return app


def test_synth_writes_what_python_writes(app: Cdktf) -> None:
    """`cdktf synth` and `python main.py`: the same files, the same bytes."""
    output = app.folder / "cdktf.out"
    by_cdktf = contents(output)
    shutil.rmtree(output)
    done = run_main(app.folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert contents(output) == by_cdktf


def test_formats_take_each_other_s_place(app: Cdktf) -> None:
    """From JSON to HCL and back: never both, and nothing stale in between."""
    output = app.folder / "cdktf.out"
    json_files = contents(output)
    app.must("synth", "--hcl")
    hcl_files = contents(output)
    assert {name for name in hcl_files if name.endswith(".tf")} == {
        f"stacks/{name}/{file}" for name in BOTH for file in ("cdk.tf", "versions.tf")
    }
    assert not [name for name in hcl_files if name.endswith(".tf.json")]
    app.must("synth")
    assert contents(output) == json_files


def test_wrong_settings_stop_cdktf_too(app: Cdktf) -> None:
    """Our line reaches the person, cdktf fails, and the last good output stays."""
    before = contents(app.folder / "cdktf.out")
    write_stacks(app.folder, {"x": {"bootstrap": "nativ"}})
    try:
        done = app("synth")
    finally:
        write_stacks(app.folder, BOTH)
    assert done.returncode != 0
    assert 'did you mean "native"?' in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert contents(app.folder / "cdktf.out") == before


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeProject]:
    """The native stack with an account that holds the existing bucket."""
    workdir = tmp_path_factory.mktemp("deploy")
    with Sandbox.start(workdir) as sandbox, native_project(workdir, sandbox) as project:
        sandbox.client("s3").create_bucket(Bucket=BUCKET)
        with (project.stack / "terraform.tfvars").open("a") as values:
            values.write(f'use_existing_bucket_url = "s3://{BUCKET}"\n')
        project.init()
        yield project


@pytest.fixture(scope="module")
def deployer(project: NativeProject) -> Cdktf:
    """The command line, reaching this account and no other."""
    variables = dict(project.terraform.variables)
    del variables["PATH"]
    return cdktf_in(project.folder, Path(variables["HOME"]), variables)


@pytest.fixture(scope="module")
def deployed(deployer: Cdktf) -> str:
    """What `cdktf deploy` said."""
    return deployer.must("deploy", NAME, "--auto-approve")


def test_deploy(project: NativeProject, deployed: str) -> None:
    """`cdktf deploy --auto-approve` makes the environment, around the existing bucket."""
    outputs = project.outputs()
    assert set(outputs) == set(OUTPUTS)
    assert outputs["bucket_url"] == f"s3://{BUCKET}"
    made = {item.kind for item in project.sandbox.leftovers()}
    assert {"EC2 instance", "Elastic IP", "ECR repository", "Batch job queue"} <= made
    buckets = project.sandbox.client("s3").list_buckets()["Buckets"]
    assert [bucket["Name"] for bucket in buckets] == [BUCKET]


def test_the_vm_may_use_the_existing_bucket(project: NativeProject, deployed: str) -> None:
    """Document section "S3 Bucket Permissions"; plain Terraform then has nothing to do there."""
    name = project.outputs()["vm_name"]
    iam = project.sandbox.client("iam")
    policy = iam.get_role_policy(RoleName=name, PolicyName=name)["PolicyDocument"]
    assert f"arn:aws:s3:::{BUCKET}/*" in json.dumps(policy)
    done = project.terraform(project.stack, "plan", "-input=false", "-detailed-exitcode")
    assert done.returncode == 0, done.stdout


def test_destroy(project: NativeProject, deployer: Cdktf, deployed: str) -> None:
    """`cdktf destroy --auto-approve` takes all of it away, and leaves the bucket."""
    deployer.must("destroy", NAME, "--auto-approve")
    left: list[Any] = project.sandbox.leftovers()
    assert [(item.kind, item.identifier) for item in left] == [("S3 bucket", BUCKET)]


def test_another_stack_s_values_are_refused(deployer: Cdktf, tmp_path: Path) -> None:
    """`cdktf diff` reads the project's own file for each stack, and ends with what to pass."""
    folder = shutil.copytree(deployer.folder, tmp_path / "project")
    write_stacks(folder, {NAME: {"bootstrap": "native", "var_files": ["dev.tfvars"]}})
    (folder / "terraform.tfvars").write_text('vm_name = "lab"\n')
    (folder / "dev.tfvars").write_text('vm_name = "dev"\n')
    done = replace(deployer, folder=folder)("diff", NAME)
    assert done.returncode != 0
    assert "--var-file=dev.tfvars" in done.stdout + done.stderr
