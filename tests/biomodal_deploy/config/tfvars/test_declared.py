"""The variables of a synthesized stack."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from biomodal_deploy.config.tfvars.declared import read_declared
from biomodal_deploy.errors import UsageError


def write(folder: Path, document: object) -> Path:
    """Write a synthesized stack."""
    (folder / "cdk.tf.json").write_text(json.dumps(document))
    return folder


def test_reads_what_matters(tmp_path: Path) -> None:
    """Type, default, sensitivity and rules of each variable; null is a default too."""
    blocks = {
        "vm_name": {
            "type": "string",
            "description": "VM name",
            "validation": [{"condition": "${true}", "error_message": "Short."}],
        },
        "tags": {"type": "map(string)", "default": None, "sensitive": True, "nullable": False},
        "loose": {},
        "whole": [{"type": "any", "validation": {"error_message": "One."}}],
    }
    found = read_declared(write(tmp_path, {"variable": blocks, "resource": {}}))
    assert found["vm_name"].required
    assert found["vm_name"].literal
    assert found["vm_name"].messages == ("Short.",)
    assert not found["tags"].required
    assert found["tags"].sensitive
    assert not found["tags"].nullable
    assert not found["tags"].literal
    assert found["loose"].literal
    assert not found["whole"].literal
    assert found["whole"].messages == ("One.",)


def test_stack_without_variables(tmp_path: Path) -> None:
    """A stack need not have any."""
    assert read_declared(write(tmp_path, {})) == {}


@pytest.mark.parametrize(
    "content", ["", "[]", '{"variable": []}', '{"variable": {"a": 5}}', "\x00"]
)
def test_what_is_no_stack_is_one_line(tmp_path: Path, content: str) -> None:
    """A damaged file is named, with the command that writes it again."""
    (tmp_path / "cdk.tf.json").write_text(content)
    with pytest.raises(UsageError, match=r"cdk\.tf\.json: not Terraform JSON.* synth") as info:
        read_declared(tmp_path)
    assert "\n" not in str(info.value)


def test_missing_stack_is_one_line(tmp_path: Path) -> None:
    """Nothing synthesized yet: the line says what to run."""
    with pytest.raises(UsageError, match=r"No such file.*run biomodal-aws synth"):
        read_declared(tmp_path)
