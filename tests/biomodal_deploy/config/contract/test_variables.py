"""The documented interface, said a second time: what must never change by accident."""

from __future__ import annotations

from typing import Final

import pytest

from biomodal_deploy.config.contract import OUTPUTS, Variable, variables_of

# Document sections "Required Variables" and "Optional Variables", line by line.
DOCUMENTED: Final = (
    ("region", "string", None, "AWS region"),
    ("vpc_id", "string", None, "VPC ID (must already exist)"),
    ("subnet_id", "string", None, "Subnet ID (must already exist)"),
    ("vm_name", "string", None, "VM name"),
    ("instance_type", "string", "t3.large", "EC2 instance type"),
    ("tag_key", "string", "environment", "Resource tag key"),
    ("tag_value", "string", "development", "Resource tag value"),
    ("use_existing_bucket_url", "string", "", "Use existing bucket"),
    ("bucket_force_destroy", "bool", False, "Allow bucket destruction"),
    ("ssh_user", "string", "ubuntu", "SSH username"),
)


def _as_row(variable: Variable) -> tuple[str, str, object, str]:
    return variable.name, variable.type, variable.default, variable.description


def test_the_module_adds_the_disk_size_to_the_documented_variables() -> None:
    """Names, types, defaults and descriptions, in the document's order; its 100 GB stay."""
    *documented, size = variables_of("module")
    assert tuple(map(_as_row, documented)) == DOCUMENTED
    assert (size.name, size.type, size.default) == ("vm_volume_gib", "number", 100)


def test_the_native_stack_adds_the_public_key_and_the_disk_size() -> None:
    """Whoever has filled in the documented variables can use either implementation."""
    *documented, key, size = variables_of("native")
    assert tuple(map(_as_row, documented)) == DOCUMENTED
    assert (key.name, key.type, key.default) == ("ssh_public_key", "string", "")
    assert size == variables_of("module")[-1]


@pytest.mark.parametrize("bootstrap", ["module", "native"])
def test_every_default_keeps_its_own_rules(bootstrap: str) -> None:
    """A stack that sets only what is required is never refused for a default."""
    for variable in variables_of(bootstrap):
        if variable.default is not None:
            assert variable.broken_rule(variable.default) is None, variable.name


@pytest.mark.parametrize("bootstrap", ["module", "native"])
def test_every_text_and_number_has_a_rule(bootstrap: str) -> None:
    """No value reaches AWS unchecked."""
    for variable in variables_of(bootstrap):
        assert bool(variable.rules) is (variable.type != "bool"), variable.name


def test_the_documented_outputs() -> None:
    """Document section "Outputs": these seven, each with a description."""
    assert list(OUTPUTS) == [
        "bucket_url",
        "docker_repo_url",
        "private_ip",
        "private_key_filename",
        "public_ip",
        "ssh_user",
        "vm_name",
    ]
    assert all(OUTPUTS.values())
