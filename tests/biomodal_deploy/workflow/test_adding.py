"""A copy of a stack: its settings and values, and not what has to be another's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from biomodal_deploy.errors import UsageError
from biomodal_deploy.workflow.adding import copied_from
from biomodal_deploy.workflow.location import Location


def location(folder: Path, settings: dict[str, Any], **files: str) -> Location:
    """Return a project with one stack and its files."""
    context = {"stacks": {"prod": settings}}
    (folder / "cdktf.json").write_text(json.dumps({"app": "x", "context": context}))
    for name, text in files.items():
        (folder / f"{name}.tfvars").write_text(text)
    return Location.of(folder, {})


def test_settings_and_values_are_taken_over(tmp_path: Path) -> None:
    """Later files win as they do for the other; the state's place and the VM's name stay its."""
    (tmp_path / "terraform.tfvars").write_text('ssh_user = "ada"\ntag_value = "shared"\n')
    backend = {"kind": "s3", "bucket": "states", "region": "eu-west-2", "key": "prod.tfstate"}
    settings = {
        "region": "eu-west-2",
        "plan_hours": 2,
        "backend": backend,
        "var_files": ["all.tfvars", "own.tfvars"],
    }
    found = copied_from(
        location(
            tmp_path,
            settings,
            all='tag_value = "all"\nvpc_id = "vpc-0a1b2c3d"\nssh_public_key = ""\n',
            own='tag_value = "own"\nvm_name = "prod"\nbucket_force_destroy = "true"\n',
        ),
        "prod",
    )
    assert found.settings == {
        "bootstrap": "module",
        "profile": "documented",
        "region": "eu-west-2",
        "plan_hours": 2,
        "backend": {"kind": "s3", "bucket": "states", "region": "eu-west-2"},
    }
    assert found.values == {
        "region": "eu-west-2",
        "vpc_id": "vpc-0a1b2c3d",
        "tag_value": "own",
        "bucket_force_destroy": True,
        "ssh_user": "ada",
    }


def test_a_bucket_for_states_is_not_copied(tmp_path: Path) -> None:
    """Two would make the same one."""
    made = {
        "bootstrap": "state-bucket",
        "region": "eu-west-2",
        "state_bucket": {"bucket": "states"},
    }
    with pytest.raises(UsageError, match="a bucket for the states of others"):
        copied_from(location(tmp_path, made), "prod")


def test_what_is_wrong_there_is_named(tmp_path: Path) -> None:
    """A misspelt name, and a value that breaks its rule, with the file to correct."""
    there = location(tmp_path, {"var_files": ["own.tfvars"]}, own='vpc_id = "here"\n')
    with pytest.raises(UsageError, match=r'--from = "prd": .* Fix: did you mean "prod"\?'):
        copied_from(there, "prd")
    with pytest.raises(UsageError, match=r"A VPC id is .* Fix: correct it in .*own\.tfvars"):
        copied_from(there, "prod")
