"""The documented stack on real Terraform: what the upstream module is given, and what comes back.

The module itself cannot be fetched offline. A local stand-in with its inputs, its types and its
outputs takes its place (tests/support/standin.py); all else is the synthesized stack.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from biomodal_deploy.config.contract import OUTPUTS
from biomodal_deploy.sandbox import Sandbox
from tests.support.native import init_or_skip
from tests.support.project import ROOT, copy_app, run_main, stack_json
from tests.support.standin import INTERFACE, use_standin
from tests.support.terraform import Engine, provider_engine

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("stand-in")]

SOURCE: Final = "git::https://github.com/cegx-ds/terraform-aws-bootstrap.git?ref=module_update"
VM: Final = "engine-vm"
EXISTING: Final = "s3://my-existing-bucket/"


@dataclass(frozen=True)
class Called:
    """What one choice of bucket led to."""

    received: dict[str, Any]  # the module's inputs, defaults included, as the module sees them
    outputs: dict[str, str]  # the stack's outputs


@dataclass(frozen=True)
class ModuleProject:
    """The documented stack with the stand-in, against an account on loopback."""

    stack: Path
    sandbox: Sandbox
    terraform: Engine

    def apply(self, *variables: str) -> Called:
        """Apply with some variables and return what came of it."""
        arguments = ("-input=false", "-var-file=terraform.tfvars", *variables)
        self.terraform.must(self.stack, "apply", "-auto-approve", *arguments)
        printed = json.loads(self.terraform.must(self.stack, "output", "-json"))
        outputs = {name: each["value"] for name, each in printed.items()}
        return Called(outputs.pop("received"), outputs)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleProject]:
    """The shipped settings, synthesized and initialized."""
    workdir = tmp_path_factory.mktemp("module")
    folder = copy_app(workdir / "checkout")
    assert run_main(folder).returncode == 0
    stack = folder / "cdktf.out" / "stacks" / "biomodal-aws"
    use_standin(stack, SOURCE)
    with Sandbox.start(workdir) as sandbox:
        terraform = provider_engine(workdir / "home", dict(sandbox.environment({})))
        init_or_skip(terraform, stack)
        values = sandbox.tfvars_text(VM).splitlines()
        documented = [line for line in values if not line.startswith("ssh_public_key")]
        (stack / "terraform.tfvars").write_text("\n".join(documented) + "\n")
        yield ModuleProject(stack, sandbox, terraform)


@pytest.fixture(scope="module")
def new_bucket(project: ModuleProject) -> Called:
    """The document's defaults."""
    return project.apply()


@pytest.fixture(scope="module")
def existing_bucket(project: ModuleProject, new_bucket: Called) -> Called:
    """A bucket of the user's own, with everything else said too."""
    return project.apply(
        f"-var=use_existing_bucket_url={EXISTING}",
        "-var=bucket_force_destroy=true",
        "-var=instance_type=m6i.xlarge",
        "-var=tag_key=cost centre",
        "-var=tag_value=genomics",
        "-var=ssh_user=ec2-user",
    )


def _readable(project: ModuleProject, called: Called) -> dict[str, Any]:
    account = project.sandbox.account
    home = project.terraform.variables["HOME"]
    text = json.dumps({"module": called.received, "outputs": called.outputs})
    names = {account.vpc_id: "VPC", account.subnet_ids[0]: "SUBNET", home: "HOME"}
    for value, name in names.items():
        text = text.replace(value, name)
    readable: dict[str, Any] = json.loads(text)
    readable["module"]["user_data_base64"] = "INSTALL SCRIPT"
    return readable


def test_a_new_bucket(
    project: ModuleProject, new_bucket: Called, snapshot: SnapshotAssertion
) -> None:
    """What the module receives for the document's defaults, and the stack's outputs."""
    assert new_bucket.received["create_bucket"] is True
    assert new_bucket.received["existing_bucket_name"] == ""
    assert _readable(project, new_bucket) == snapshot(extension_class=JSONSnapshotExtension)


def test_an_existing_bucket(
    project: ModuleProject, existing_bucket: Called, snapshot: SnapshotAssertion
) -> None:
    """No bucket is asked for, and the VM's policy is to cover the given one, by its bare name."""
    assert existing_bucket.received["create_bucket"] is False
    assert existing_bucket.received["existing_bucket_name"] == "my-existing-bucket"
    assert existing_bucket.outputs["bucket_url"] == "s3://my-existing-bucket"
    assert _readable(project, existing_bucket) == snapshot(extension_class=JSONSnapshotExtension)


def test_the_documented_outputs(project: ModuleProject, new_bucket: Called) -> None:
    """The seven in their shapes, whatever the module's own look like."""
    outputs = new_bucket.outputs
    assert set(outputs) == set(OUTPUTS)
    assert outputs["bucket_url"].startswith(f"s3://{VM}")
    account = project.sandbox.account
    assert outputs["docker_repo_url"] == (
        f"{account.account_id}.dkr.ecr.{account.region}.amazonaws.com"
    )
    home = project.terraform.variables["HOME"]
    assert outputs["private_key_filename"] == f"{home}/.ssh/{VM}.pem"
    assert (outputs["ssh_user"], outputs["vm_name"]) == ("ubuntu", VM)


def test_the_script_arrives_for_its_user(new_bucket: Called, existing_bucket: Called) -> None:
    """The user data is the script, with `ssh_user` in the default user's place."""
    script = (ROOT / "scripts" / "install_script.sh").read_text()
    received = [
        base64.b64decode(called.received["user_data_base64"]).decode()
        for called in (new_bucket, existing_bucket)
    ]
    assert received[0] == script
    assert received[1] == script.replace("${SSH_USER:-ubuntu}", "${SSH_USER:-ec2-user}")


def test_every_argument_has_its_input_s_type(project: ModuleProject, new_bucket: Called) -> None:
    """Terraform's own types, before it converts anything: no string where a bool belongs."""
    folder = project.stack.parents[1] / "types"
    folder.mkdir(exist_ok=True)
    stack = stack_json(project.stack.parents[1], "biomodal-aws")
    call = stack["module"]["bootstrap"]
    given = {
        # Its own type is a string; the data source has not been read here.
        name: "123456789012" if name == "account_id" else value
        for name, value in call.items()
        if name not in ("//", "source")
    }
    text = json.dumps({"variable": stack["variable"], "locals": {"given": given}})
    (folder / "main.tf.json").write_text(text)
    (folder / "assets").symlink_to(project.stack / "assets")
    (folder / "terraform.tfvars").symlink_to(project.stack / "terraform.tfvars")
    printed = project.terraform.must(folder, "console", stdin="type(local.given)\n")
    answer = "".join(printed.split()).replace('"', "")
    fitting = {
        "string": "string",
        "bool": "bool",
        "number": "number",
        "list(string)": "tuple([string,])",
        "map(any)": "object({environment:string,})",
        "map(list(string))": (
            "object({name:tuple([string,]),virtualization-type:tuple([string,]),})"
        ),
    }
    expected = (f"{name}:{fitting[INTERFACE['inputs'][name]['type']]}," for name in sorted(given))
    assert answer == f"object({{{''.join(expected)}}})"


def test_the_stack_s_own_resource_is_tagged(project: ModuleProject, new_bucket: Called) -> None:
    """The repository carries the documented tag, as the module's resources do."""
    ecr = project.sandbox.client("ecr")
    (repository,) = ecr.describe_repositories()["repositories"]
    assert repository["repositoryName"] == VM
    tags = ecr.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"]
    assert tags[0].keys() == {"Key", "Value"}


def test_terraform_refuses_an_argument_that_the_module_has_not(project: ModuleProject) -> None:
    """So the stand-in can fail: its interface is as closed as the module's."""
    path = project.stack / "cdk.tf.json"
    good = path.read_text()
    document = json.loads(good)
    document["module"]["bootstrap"]["metadata_http_token_required"] = False
    path.write_text(json.dumps(document))
    try:
        done = project.terraform(project.stack, "validate", "-no-color")
    finally:
        path.write_text(good)
    assert done.returncode == 1
    assert "metadata_http_token_required" in done.stderr
