"""Each kind of backend, as the Terraform JSON and HCL that it becomes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.support.project import ROOT, required_version, stack_json

BACKENDS: Final[dict[str, dict[str, Any]]] = {
    "in-file": {"kind": "local"},
    "in-s3": {
        "kind": "s3",
        "bucket": "lab-state",
        "region": "eu-west-2",
        "kms_key_id": "alias/state",
        "profile": "lab",
        "assume_role": {
            "role_arn": "arn:aws:iam::123456789012:role/state",
            "session_name": "deploy",
            "external_id": "lab",
        },
    },
    "in-s3-elsewhere": {"kind": "s3", "bucket": "lab-state", "key": "a/b", "region": "us-east-1"},
    "in-cloud": {"kind": "cloud", "organization": "lab", "hostname": "tfe.example.org"},
    "of-files": {"kind": "partial", "config_files": ("a.hcl",)},
    "of-http-files": {"kind": "partial", "type": "http", "config_files": ("b.hcl",)},
    "of-remote-files": {"kind": "partial", "type": "remote", "config_files": ("c.hcl",)},
    "of-gcs-files": {"kind": "partial", "type": "gcs", "config_files": ("d.hcl",)},
    "of-azure-files": {"kind": "partial", "type": "azurerm", "config_files": ("e.hcl",)},
}


def written(output: Path) -> Path:
    """Synthesize a stack for each backend."""
    from biomodal_deploy.config.settings import StackSettings
    from stacks.synthesis import synthesize

    stacks = {
        name: StackSettings.model_validate({"bootstrap": "prerequisites", "backend": backend})
        for name, backend in BACKENDS.items()
    }
    synthesize(stacks, install_script=ROOT / "scripts" / "install_script.sh", output=output)
    return output


# Where each backend's credentials come from: none of it may reach a file.
CREDENTIALS: Final = {
    "AWS_ACCESS_KEY_ID": "canary-id",
    "AWS_SECRET_ACCESS_KEY": "canary-secret",
    "AWS_SESSION_TOKEN": "canary-session",
    "TF_TOKEN_app_terraform_io": "canary-token",
    "TF_HTTP_PASSWORD": "canary-password",
    "GOOGLE_BACKEND_CREDENTIALS": "canary-google",
    "ARM_ACCESS_KEY": "canary-azure",
}


@pytest.fixture(scope="module")
def synthesized_backends(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder with a stack for each backend, in an environment full of credentials."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        return written(tmp_path_factory.mktemp("backends"))


def terraform_of(output: Path, name: str) -> dict[str, Any]:
    """Return a stack's `terraform` block, without its providers."""
    block: dict[str, Any] = stack_json(output, name)["terraform"]
    block.pop("required_providers")
    block["required_version"] = required_version(output, name)
    return block


@pytest.mark.parametrize(
    ("name", "block", "version"),
    [
        # A relative path outside the output folder, and no newer Terraform than before.
        ("in-file", {"backend": {"local": {"path": "../../../state/in-file.tfstate"}}}, ">= 1.0"),
        # Locked whatever is set; `encrypt` with a key alone, else the bucket's default holds.
        (
            "in-s3",
            {
                "backend": {
                    "s3": {
                        **{key: value for key, value in BACKENDS["in-s3"].items() if key != "kind"},
                        "key": "in-s3/terraform.tfstate",
                        "encrypt": True,
                        "use_lockfile": True,
                    }
                }
            },
            ">= 1.10",
        ),
        (
            "in-s3-elsewhere",
            {
                "backend": {
                    "s3": {
                        "bucket": "lab-state",
                        "key": "a/b",
                        "region": "us-east-1",
                        "use_lockfile": True,
                    }
                }
            },
            ">= 1.10",
        ),
        # The workspace has the stack's name where none is given.
        (
            "in-cloud",
            {
                "cloud": {
                    "organization": "lab",
                    "hostname": "tfe.example.org",
                    "workspaces": {"name": "in-cloud"},
                }
            },
            ">= 1.6",
        ),
        # Nothing of what the files say, and no trace of a file's name.
        ("of-files", {"backend": {"s3": {"use_lockfile": True}}}, ">= 1.10"),
        ("of-http-files", {"backend": {"http": {}}}, ">= 1.0"),
        ("of-remote-files", {"backend": {"remote": {}}}, ">= 1.0"),
        ("of-gcs-files", {"backend": {"gcs": {}}}, ">= 1.0"),
        ("of-azure-files", {"backend": {"azurerm": {}}}, ">= 1.0"),
    ],
)
def test_each_backend(
    synthesized_backends: Path, name: str, block: dict[str, Any], version: str
) -> None:
    """Terraform reads where a state is, and from which version on it can."""
    found = terraform_of(synthesized_backends, name)
    assert found == {**block, "required_version": version}
    assert ".hcl" not in (synthesized_backends / "stacks" / name / "cdk.tf.json").read_text()


@pytest.mark.parametrize("name", BACKENDS)
def test_snapshot(synthesized_backends: Path, name: str, snapshot: SnapshotAssertion) -> None:
    """What tells Terraform where a state is changes only on purpose."""
    block = stack_json(synthesized_backends, name)["terraform"]
    assert block == snapshot(extension_class=JSONSnapshotExtension)


def test_no_credential_is_in_any_file(synthesized_backends: Path) -> None:
    """Whatever the environment holds while it is synthesized, nothing of it is written."""
    files = [path for path in synthesized_backends.rglob("*") if path.is_file()]
    assert len(files) > len(BACKENDS)
    assert [path.name for path in files if b"canary" in path.read_bytes()] == []
