"""What both stacks have in common, and must never change by accident."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.config.contract import OUTPUTS, variables_of
from tests.support.project import ROOT, contents, required_version, stack_json

STACKS: Final = {"biomodal-aws": "module", "native": "native"}
BOTH: Final = pytest.mark.parametrize("name", STACKS)


@BOTH
def test_variables_are_the_contract(synthesized: Path, name: str) -> None:
    """Each and no other: type, default, description, rules; the documented four are required."""
    declared = stack_json(synthesized, name)["variable"]
    found = {
        each: {
            **block,
            "validation": [rule["error_message"] for rule in block.get("validation", [])],
        }
        for each, block in declared.items()
    }
    assert found == {
        variable.name: {
            "type": variable.type,
            "description": variable.description,
            "validation": [rule.message for rule in variable.rules],
            **({} if variable.default is None else {"default": variable.default}),
        }
        for variable in variables_of(STACKS[name])
    }
    required = {each for each, block in declared.items() if "default" not in block}
    assert required == {"region", "vpc_id", "subnet_id", "vm_name"}


@BOTH
def test_outputs_are_the_contract(synthesized: Path, name: str) -> None:
    """The seven documented outputs, in clear and described."""
    declared = stack_json(synthesized, name)["output"]
    assert {each: block["description"] for each, block in declared.items()} == OUTPUTS
    assert all(set(block) == {"description", "value"} for block in declared.values())


@pytest.mark.parametrize(
    ("name", "constraint"), [("biomodal-aws", ">= 5.0, < 7.0"), ("native", "~> 5.100")]
)
def test_versions(synthesized: Path, name: str, constraint: str) -> None:
    """The documented `Terraform >= 1.0`; the native stack names the provider it is tested on."""
    assert required_version(synthesized, name) == ">= 1.0"
    required = stack_json(synthesized, name)["terraform"]["required_providers"]
    assert required == {"aws": {"source": "hashicorp/aws", "version": constraint}}


@BOTH
def test_state_is_a_relative_path_outside_the_output(synthesized: Path, name: str) -> None:
    """State survives `make clean`, which removes the output folder."""
    backend = stack_json(synthesized, name)["terraform"]["backend"]
    assert backend == {"local": {"path": f"../../../state/{name}.tfstate"}}
    directory = ROOT / "cdktf.out" / "stacks" / name
    assert (directory / backend["local"]["path"]).resolve() == ROOT / "state" / f"{name}.tfstate"


@BOTH
def test_the_provider_follows_the_region_variable(synthesized: Path, name: str) -> None:
    """`region` decides, and not the environment of whoever runs Terraform."""
    (provider,) = stack_json(synthesized, name)["provider"]["aws"]
    assert provider["region"] == "${var.region}"


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)


def test_no_absolute_path_is_written(synthesized: Path) -> None:
    """Nothing of this machine, this checkout or this user gets into the output."""
    machine = [f"{path}/" for path in (ROOT, Path.home(), synthesized, Path(tempfile.gettempdir()))]
    for path, content in contents(synthesized).items():
        assert not [each for each in machine if each.encode() in content], path
        if path.endswith(".json"):
            absolute = {each for each in _strings(json.loads(content)) if each.startswith("/")}
            # The launch template's device, on the Batch hosts.
            assert absolute <= {"/dev/xvda"}, path


def test_the_output_holds_what_it_needs_and_no_more(synthesized: Path) -> None:
    """Each stack has its JSON, its script and Terraform's version; nothing hidden stays."""
    script = "assets/install_script/"
    names = [
        each.split(script)[0] + script + each.rsplit("/", 1)[1] if script in each else each
        for each in contents(synthesized)
    ]
    assert names == [
        "manifest.json",
        "stacks/biomodal-aws/assets/install_script/install_script.sh",
        "stacks/biomodal-aws/cdk.tf.json",
        "stacks/biomodal-aws/versions.tf",
        "stacks/native/assets/install_script/install_script.sh",
        "stacks/native/cdk.tf.json",
        "stacks/native/versions.tf",
    ]


@BOTH
def test_json_has_a_stable_order(synthesized: Path, name: str) -> None:
    """Keys are sorted, so that a change of one thing is a change of one line."""
    path = synthesized / "stacks" / name / "cdk.tf.json"

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        assert [key for key, _ in found] == sorted(key for key, _ in found)
        return dict(found)

    json.loads(path.read_text(), object_pairs_hook=pairs)
