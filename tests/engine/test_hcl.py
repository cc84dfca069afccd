"""`cdktf synth --hcl`: Terraform reads from it what it reads from the JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest
from syrupy.assertion import SnapshotAssertion

from biomodal_deploy.sandbox import Sandbox
from tests.stacks.test_backend import BACKENDS, CREDENTIALS
from tests.support.native import init_or_skip
from tests.support.project import BOTH, copy_app, run_main, stack_json, write_stacks
from tests.support.standin import use_standin
from tests.support.terraform import Engine, provider_engine

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("stand-in")]

SOURCE: Final = "git::https://github.com/cegx-ds/terraform-aws-bootstrap.git?ref=module_update"
STACKS: Final = pytest.mark.parametrize("name", BOTH)


@dataclass(frozen=True)
class Planned:
    """A plan of one stack in one format."""

    plan: dict[str, Any]  # the plan as data
    diagnostics: list[dict[str, Any]]  # the warnings that came with it


Plans = dict[tuple[str, str], Planned]


def _planned(terraform: Engine, stack: Path) -> Planned:
    printed = terraform.must(stack, "plan", "-json", "-input=false", "-out=tfplan")
    events = [json.loads(line) for line in printed.splitlines()]
    shown = json.loads(terraform.must(stack, "show", "-json", "tfplan"))
    return Planned(shown, [event for event in events if event["type"] == "diagnostic"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with both stacks, synthesized in both formats; the module is a stand-in."""
    folder = copy_app(tmp_path_factory.mktemp("hcl") / "checkout")
    write_stacks(folder, BOTH)
    for kind in ("json", "hcl"):
        # What `cdktf synth --hcl` sets; test_cdktf_cli.py runs that command itself.
        variables = {"SYNTH_HCL_OUTPUT": "true" if kind == "hcl" else "false"}
        done = run_main(folder, env=variables | {"CDKTF_OUTDIR": str(folder / kind)})
        assert (done.returncode, done.stderr) == (0, "")
        use_standin(folder / kind / "stacks" / "biomodal-aws", SOURCE)
    return folder


@pytest.fixture(scope="module")
def backends(folder: Path) -> Path:
    """A stack for each kind of backend, as HCL, synthesized among credentials."""
    write_stacks(
        folder,
        {
            name: {"bootstrap": "prerequisites", "backend": backend}
            for name, backend in BACKENDS.items()
        },
    )
    variables = {"SYNTH_HCL_OUTPUT": "true", "CDKTF_OUTDIR": str(folder / "backends")}
    done = run_main(folder, env=CREDENTIALS | variables)
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "backends" / "stacks"


@pytest.fixture(scope="module")
def plans(folder: Path) -> Plans:
    """Each stack planned from each format, against one account."""
    found = {}
    with Sandbox.start(folder) as sandbox:
        terraform = provider_engine(folder / "home", dict(sandbox.environment({})))
        for kind, name in product(("json", "hcl"), BOTH):
            stack = folder / kind / "stacks" / name
            values = sandbox.tfvars_text("engine-vm").splitlines()
            if name != "native":
                values = [line for line in values if not line.startswith("ssh_public_key")]
            (stack / "terraform.tfvars").write_text("\n".join(values) + "\n")
            init_or_skip(terraform, stack)
            found[kind, name] = _planned(terraform, stack)
    return found


@STACKS
@pytest.mark.parametrize("kind", ["json", "hcl"])
def test_is_valid_without_a_warning(plans: Plans, kind: str, name: str) -> None:
    """Terraform has nothing to say, such as about quoted references."""
    assert plans[kind, name].diagnostics == []


@STACKS
@pytest.mark.parametrize(
    "part", ["planned_values", "variables", "configuration", "resource_changes", "output_changes"]
)
def test_plans_to_the_same_result(plans: Plans, name: str, part: str) -> None:
    """Values, outputs, dependencies, variables with their defaults: all the same."""
    found = {kind: _without_source_text(plans[kind, name].plan[part]) for kind in ("json", "hcl")}
    assert found["hcl"] == found["json"]


def _without_source_text(value: Any) -> Any:
    """Leave out what Terraform shows of JSON only: an expression's text, as if it were constant."""
    if isinstance(value, dict):
        return {
            key: _without_source_text(each)
            for key, each in value.items()
            if not (key == "constant_value" and "${" in json.dumps(each))
        }
    return [_without_source_text(each) for each in value] if isinstance(value, list) else value


@STACKS
def test_defaults_are_not_lost(plans: Plans, name: str) -> None:
    """Only the four required variables have to be given; empty and false defaults count."""
    variables = plans["hcl", name].plan["configuration"]["root_module"]["variables"]
    required = {each for each, block in variables.items() if "default" not in block}
    assert required == {"region", "vpc_id", "subnet_id", "vm_name"}


def test_rules_and_references_are_kept(folder: Path) -> None:
    """What is in no plan: rules on variables, Terraform's version, and what is not to change."""
    for name in BOTH:
        text = (folder / "hcl" / "stacks" / name / "cdk.tf").read_text()
        rules = sum(
            len(block.get("validation", []))
            for block in stack_json(folder / "json", name)["variable"].values()
        )
        assert text.count("  validation {") == rules
        versions = (folder / "hcl" / "stacks" / name / "versions.tf").read_text()
        assert versions == 'terraform {\n  required_version = ">= 1.0"\n}\n'
    assert "ignore_changes=[ami,user_data,user_data_base64,]" in "".join(text.split())
    assert "ignore_changes=[compute_resources[0].desired_vcpus,]" in "".join(text.split())
    assert "create_before_destroy=true" in "".join(text.split())


@pytest.mark.parametrize("name", BACKENDS)
def test_backends(backends: Path, name: str, snapshot: SnapshotAssertion) -> None:
    """Each kind of backend in HCL, encrypted and locked as in the JSON, and no credential."""
    text = (backends / name / "cdk.tf").read_text()
    assert "canary" not in text
    block = text[text.index("terraform {") :].partition("\n}\n")[0] + "\n}\n"
    assert block == snapshot
