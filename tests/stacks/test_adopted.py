"""What a stack keeps of the resources that it adopted."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from biomodal_deploy.config.settings import StackSettings
from biomodal_deploy.config.stack import Adopted
from stacks.synthesis import synthesize
from tests.support.project import ROOT, stack_json


@pytest.mark.parametrize("profile", ["documented", "hardened"])
def test_adopted(tmp_path: Path, profile: Literal["documented", "hardened"]) -> None:
    """Descriptions, the bucket's name, and a public key that nobody knows: in either profile."""
    adopted = Adopted(
        ssh_description="theirs", batch_description="theirs too", bucket="lab-1", key_pair=True
    )
    settings = StackSettings(bootstrap="native", profile=profile, adopted=adopted)
    synthesize(
        {"lab": settings}, install_script=ROOT / "scripts" / "install_script.sh", output=tmp_path
    )
    document = stack_json(tmp_path, "lab")
    groups = document["resource"]["aws_security_group"]
    assert groups["ssh"]["description"] == "theirs"
    assert groups["batch_hosts"]["description"] == "theirs too"
    key = document["resource"]["aws_key_pair"]["ssh_key"]
    assert key["lifecycle"] == {"ignore_changes": ["public_key"]}
    name = document["locals"]["bucket_name"]
    assert name.startswith('${var.use_existing_bucket_url == "" ? "lab-1" : ')


@pytest.mark.parametrize("profile", ["documented", "hardened"])
def test_adopted_by_the_module(tmp_path: Path, profile: Literal["documented", "hardened"]) -> None:
    """It takes a description for the VM's group, and is given none where none was adopted."""
    given = {"kept": Adopted(ssh_description="ours"), "new": Adopted()}
    settings = {
        name: StackSettings(bootstrap="module", profile=profile, adopted=adopted)
        for name, adopted in given.items()
    }
    synthesize(settings, install_script=ROOT / "scripts" / "install_script.sh", output=tmp_path)
    calls = {name: stack_json(tmp_path, name)["module"]["bootstrap"] for name in given}
    assert calls["kept"]["security_group_description"] == "ours"
    assert "security_group_description" not in calls["new"]
