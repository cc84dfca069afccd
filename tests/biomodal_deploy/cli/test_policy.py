"""`biomodal-aws policy`, as far as no server is needed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from biomodal_deploy.cli.boundary import run
from biomodal_deploy.errors import EXIT_DONE, EXIT_ENGINE
from tests.support.no_credentials import without_credentials
from tests.support.project import ROOT

SNAPSHOT = ROOT / "tests/stacks/__snapshots__/test_snapshots/test_native_stack.json"


def test_no_credentials_are_needed_where_the_account_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever asks for permissions has none yet: the error names the option that does without."""
    without_credentials(monkeypatch, tmp_path, "BIOMODAL_")
    folder = tmp_path / "cdktf.out/stacks/lab"
    folder.mkdir(parents=True)
    (folder / "cdk.tf.json").write_bytes(SNAPSHOT.read_bytes())
    stack = {"name": "lab", "workingDirectory": "stacks/lab"}
    manifest = {"version": "0.21.0", "stacks": {"lab": stack}}
    (tmp_path / "cdktf.out/manifest.json").write_text(json.dumps(manifest))
    document = {"app": "true", "context": {"stacks": {"lab": {"bootstrap": "native"}}}}
    (tmp_path / "cdktf.json").write_text(json.dumps(document))
    values = {"region": "eu-west-2", "vpc_id": "vpc-0a1b2c3d", "vm_name": "lab"}
    values["subnet_id"] = "subnet-0a1b2c3d"
    (tmp_path / "terraform.tfvars.json").write_text(json.dumps(values))
    command = ["policy", "deployer", "--project-dir", str(tmp_path)]
    assert run(command) == EXIT_ENGINE
    assert "--account ID" in capsys.readouterr().err
    assert run([*command, "--account", "111122223333"]) == EXIT_DONE
    assert "arn:aws:batch:eu-west-2:111122223333:" in capsys.readouterr().out
