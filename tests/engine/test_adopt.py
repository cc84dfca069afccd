"""What exists is adopted in place: a vendor's root, from one stack to another, and by ids.

One vendor's root and one native stack serve all tests here, in the order of their lives. The AWS
provider waits a minute for the rules of each bucket, so two applies run beside something else.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.errors import EXIT_DONE, EXIT_GUARD, EXIT_SEALED_PLAN
from biomodal_deploy.sandbox import Sandbox
from tests.support.checkout import Checkout, environment_of
from tests.support.git import git
from tests.support.life import use_described_module
from tests.support.native import init_or_skip
from tests.support.project import copy_app, write_stacks
from tests.support.terraform import provider_engine

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("adopt")]

STACK: Final = "lab"
VM: Final = "engine-vm"
NATIVE_VM: Final = "native-vm"
NOTHING: Final = {"delete": 0, "replace": 0, "create": 0}
SOURCE: Final = "https://github.com/cegx-ds/terraform-aws-bootstrap.git"
SCRIPT: Final = "#!/bin/bash\necho the lab's own\n"


def write_vendor_root(folder: Path, sandbox: Sandbox, vm_name: str) -> None:
    """Write a root that calls the module under a name of its own, beside a repository."""
    account = sandbox.account
    folder.mkdir()
    use_described_module(folder, sandbox.public_key)
    (folder / "setup.sh").write_text(SCRIPT)
    call: dict[str, Any] = {
        "source": "./bootstrap",
        "account_id": account.account_id,
        "name": vm_name,
        "vpc_id": account.vpc_id,
        "subnet_id": account.subnet_ids[0],
        "ami_owners": ["099720109477"],
        "ami_filter": {"name": ["ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*"]},
        "instance_type": "t3.large",
        "eip_enabled": "true",
        "metadata_http_tokens_required": False,
        "root_block_device_volume_size": 100,
        "user_data_base64": '${filebase64("setup.sh")}',
        "create_bucket": True,
        "deploy_batch": True,
        "tags": {"environment": "development"},
    }
    document = {
        "provider": {"aws": {"region": account.region}},
        "resource": {"aws_ecr_repository": {"biomodal": {"name": vm_name}}},
        "module": {"orchestrator": call},
    }
    (folder / "main.tf.json").write_text(json.dumps(document, indent=1))


def serve_module(home: Path, sandbox: Sandbox) -> None:
    """Let Git find the module's branch on this machine, for whoever has this home."""
    work = home / "module"
    work.mkdir()
    use_described_module(work, sandbox.public_key)
    repository = work / "bootstrap"
    git(repository, "init", "--quiet", "--initial-branch=module_update")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message=module")
    (home / ".gitconfig").write_text(f'[url "file://{repository}"]\n\tinsteadOf = {SOURCE}\n')


@dataclass(frozen=True)
class Project(Checkout):
    """A checkout, an account on loopback, and the vendor's folder."""

    vendor: Path

    def must(self, *words: str) -> Any:
        """Run one command that has to work, and return its data."""
        return self.run(*words, "--output", "json", status=EXIT_DONE).data

    def become(self, **settings: object) -> None:
        """Change what the stack is; what an adoption wrote stays."""
        document = json.loads((self.folder / "cdktf.json").read_text())
        old = document["context"]["stacks"].get(STACK, {})
        kept = {"adopted": old["adopted"]} if "adopted" in old else {}
        write_stacks(self.folder, {STACK: {**settings, **kept}})

    def settle(self, adopted: Mapping[str, Any]) -> None:
        """Apply an adoption, delete its file, and see that nothing is left to do."""
        # What leaves the state is confirmed as a destroy is.
        self.must("apply", adopted["path"], "--confirm", STACK)
        (self.folder / (adopted["adoption_file"] or "none")).unlink(missing_ok=True)
        planned = self.must("plan")
        assert not planned["has_changes"], self.run("plan").out

    def another(self, folder: Path) -> Project:
        """Return another checkout, which knows nothing of this one."""
        copy_app(folder)
        constructs = {"PYTHONPATH": str(folder / "constructs")}
        return replace(self, folder=folder, environment={**self.environment, **constructs})

    def state(self) -> Any:
        """Return what the stack's state holds."""
        return json.loads((self.folder / "state" / f"{STACK}.tfstate").read_bytes())


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, Project]]:
    """A checkout that knows nothing of the vendor's applied root, and one with a native stack."""
    workdir = tmp_path_factory.mktemp("adopt")
    folder = copy_app(workdir / "checkout")
    home = workdir / "home"
    (home / ".ssh").mkdir(parents=True)
    variables = environment_of(folder, home)
    with Sandbox.start(workdir) as sandbox:
        serve_module(home, sandbox)
        sandbox.write_tfvars(folder / "terraform.tfvars", vm_name=VM)
        vendor = workdir / "vendor"
        write_vendor_root(vendor, sandbox, VM)
        terraform = provider_engine(home, dict(sandbox.environment({})))
        init_or_skip(terraform, vendor)
        found = Project(folder, sandbox, sandbox.environment(variables), vendor)
        with ThreadPoolExecutor(1) as pool:
            applied = pool.submit(terraform.must, vendor, "apply", "-auto-approve", "-input=false")
            pristine = found.another(workdir / "pristine")
            sandbox.write_tfvars(pristine.folder / "terraform.tfvars", vm_name=NATIVE_VM)
            pristine.become(bootstrap="native")
            pristine.must("apply", pristine.must("plan")["path"])
            applied.result()
        yield found, pristine


@pytest.fixture(scope="module")
def project(projects: tuple[Project, Project]) -> Project:
    """The checkout beside the vendor's root."""
    return projects[0]


def _losses(adopted: Mapping[str, Any]) -> dict[str, int]:
    return {word: adopted["counts"].get(word, 0) for word in ("delete", "replace", "create")}


@pytest.fixture(scope="module")
def module(project: Project) -> Any:
    """The adoption of the vendor's state by the documented stack."""
    project.become(bootstrap="module")
    return project.must("adopt", "--state", str(project.vendor))


def test_the_module_adopts_the_vendor_s_root(project: Project, module: Any) -> None:
    """By two blocks: one moves the whole call, one the repository."""
    assert _losses(module) == NOTHING
    blocks = (project.folder / module["adoption_file"]).read_text()
    assert re.findall(r"from = (.*)\n  to   = (.*)", blocks) == [
        ("aws_ecr_repository.biomodal", "aws_ecr_repository.image_repository"),
        ("module.orchestrator", "module.bootstrap"),
    ]
    assert blocks.count("{") == 2


def test_the_state_is_backed_up_and_its_source_left_alone(project: Project, module: Any) -> None:
    """What the vendor's folder holds is still there, and kept in a private copy."""
    source = json.loads((project.vendor / "terraform.tfstate").read_bytes())
    backup = json.loads(Path(module["backup"]).read_bytes())
    for part in ("lineage", "serial", "resources", "outputs"):
        assert backup[part] == source[part]
    assert Path(module["backup"]).stat().st_mode & 0o077 == 0


@pytest.fixture(scope="module")
def module_settled(project: Project, module: Any) -> None:
    """The module's adoption, applied: nothing is left to do, also without the blocks."""
    project.settle(module)


@pytest.fixture(scope="module")
def native(project: Project, module_settled: None) -> Any:
    """The adoption of the stack's own state after its implementation has changed."""
    project.become(bootstrap="native")
    return project.must("adopt")


def test_native_adopts_it_in_place(native: Any) -> None:
    """Nothing is created, replaced or destroyed; what AWS cannot change is kept as it is."""
    assert _losses(native) == NOTHING
    assert native["counts"]["imported"] == 5
    assert set(native["adopted"]) == {"ssh_description", "batch_description", "bucket"}
    assert native["adopted"]["bucket"].startswith(VM)
    assert native["adopted"]["bucket"] != VM


def test_the_adoption_is_sealed(project: Project, native: Any) -> None:
    """An edited block is another configuration than the one that was planned."""
    path = project.folder / native["adoption_file"]
    blocks = path.read_text()
    path.write_text(f"{blocks}# edited\n")
    ended = project.run("apply", native["path"])
    path.write_text(blocks)
    assert ended.status == EXIT_SEALED_PLAN, ended.out + ended.err


@pytest.fixture(scope="module")
def native_settled(project: Project, native: Any) -> Any:
    """The state of the native stack, its adoption applied and nothing left to do."""
    project.settle(native)
    return project.state()


@pytest.fixture(scope="module")
def by_ids(
    project: Project, native_settled: Any, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """A checkout that knows nothing of what stands in the account, but has its ids."""
    ids = {
        _address(resource, instance): instance["attributes"]["id"]
        for resource in native_settled["resources"]
        for instance in resource["instances"]
        # Rules are found by themselves.
        if resource["mode"] == "managed" and "security_group_" not in resource["type"]
    }
    other = project.another(tmp_path_factory.mktemp("by-ids") / "checkout")
    shutil.copy2(project.folder / "terraform.tfvars", other.folder)
    (other.folder / "ids.json").write_text(json.dumps(ids))
    other.become(bootstrap="native")
    return other


def _address(resource: Mapping[str, Any], instance: Mapping[str, Any]) -> str:
    key = f"[{json.dumps(instance['index_key'])}]" if "index_key" in instance else ""
    return f"{resource['type']}.{resource['name']}{key}"


def test_what_was_made_by_hand_is_adopted_by_its_ids(by_ids: Project) -> None:
    """Nothing is created, replaced or destroyed; applied, and nothing left to do."""
    adopted = by_ids.must("adopt", "--ids", "ids.json")
    assert _losses(adopted) == NOTHING
    assert adopted["adopted"]["key_pair"] is True
    by_ids.settle(adopted)


@pytest.fixture(scope="module")
def hardened(project: Project, native_settled: Any) -> dict[str, str]:
    """What an unnamed loss refuses where the profile changes, by address."""
    bucket = _one(native_settled, "aws_s3_bucket")["bucket"]
    project.sandbox.client("s3").put_object(Bucket=bucket, Key="run/data", Body=b"theirs")
    project.become(bootstrap="native", profile="hardened")
    ended = project.run("adopt", "--output", "json")
    assert ended.status == EXIT_GUARD, ended.out + ended.err
    return {
        each["address"]: each["action"]
        for each in ended.data["changes"]
        if each["action"].startswith(("delete", "replace", "forget"))
    }


@pytest.fixture(scope="module")
def hardening(project: Project, hardened: Mapping[str, str]) -> Iterator[Future[None]]:
    """The adoption by the hardened profile, as it is applied."""
    named = [word for address in hardened for word in ("--allow-destroy", address)]
    adopted = project.must("adopt", *named)
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(project.settle, adopted)


def test_hardened_loses_an_environment_and_rules(
    hardened: Mapping[str, str], hardening: Future[None]
) -> None:
    """And no other: of no protected kind, and to be named all the same."""
    assert hardened == {
        "aws_batch_compute_environment.batch": "replace-create-first",
        "aws_vpc_security_group_ingress_rule.batch_hosts_from_subnet": "delete",
        "aws_vpc_security_group_ingress_rule.batch_hosts_from_vm": "delete",
        "aws_vpc_security_group_ingress_rule.ssh_from_anywhere": "delete",
    }


@pytest.fixture(scope="module")
def pristine(projects: tuple[Project, Project]) -> Project:
    """A native stack that never was anything else, as its implementation changes."""
    projects[1].become(bootstrap="module")
    return projects[1]


def test_the_module_would_replace_native_s_bucket(pristine: Project) -> None:
    """The plan is refused, and the variable that keeps the bucket is named."""
    ended = pristine.run("adopt")
    assert ended.status == EXIT_GUARD
    assert "aws_s3_bucket.this[0] would be replaced, and aws_s3_bucket is protected" in ended.out
    assert f'use_existing_bucket_url = "s3://{NATIVE_VM}"' in ended.err


@pytest.fixture(scope="module")
def kept(pristine: Project) -> Any:
    """The adoption of native's state by the module, its bucket named in the variables."""
    values = pristine.folder / "terraform.tfvars"
    url = f'use_existing_bucket_url = "s3://{NATIVE_VM}"'
    values.write_text(f"{values.read_text()}{url}\n")
    return pristine.must("adopt", "--allow-destroy", "aws_s3_bucket.data_bucket[0]")


def test_the_module_adopts_native_in_place(pristine: Project, kept: Any) -> None:
    """Nothing is destroyed or replaced; what is created is a group for hosts, with its rules."""
    assert _losses(kept) == NOTHING | {"create": 3}
    gone = re.findall(
        r"removed \{\n  from = (.*)", (pristine.folder / kept["adoption_file"]).read_text()
    )
    assert {each for each in gone if "_rule." not in each} == {
        "aws_s3_bucket.data_bucket",
        "aws_s3_bucket_lifecycle_configuration.data_bucket",
        "aws_s3_bucket_public_access_block.data_bucket",
        "aws_security_group.batch_hosts",
    }


def test_the_module_s_adoption_of_native_settles(pristine: Project, kept: Any) -> None:
    """Applied, and nothing left to do; what left the state is still in the account."""
    pristine.settle(kept)
    pristine.sandbox.client("s3").head_bucket(Bucket=NATIVE_VM)
    groups = pristine.sandbox.client("ec2").describe_security_groups()["SecurityGroups"]
    assert [each["Description"] for each in groups].count("AWS Batch hosts") == 1


def test_hardened_adopts_it_in_place(
    project: Project, native_settled: Any, hardening: Future[None]
) -> None:
    """Applied, and nothing left to do: the same VM and address, the same bucket with its data."""
    hardening.result()
    for kind in ("aws_instance", "aws_eip", "aws_ecr_repository", "aws_s3_bucket"):
        assert _one(project.state(), kind)["id"] == _one(native_settled, kind)["id"]
    bucket = _one(native_settled, "aws_s3_bucket")["bucket"]
    found = project.sandbox.client("s3").get_object(Bucket=bucket, Key="run/data")
    assert found["Body"].read() == b"theirs"


def _one(state: Any, kind: str) -> Any:
    (found,) = (each for each in state["resources"] if each["type"] == kind)
    return found["instances"][0]["attributes"]
