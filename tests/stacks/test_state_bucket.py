"""The stack of a bucket for states."""

from __future__ import annotations

from typing import Any, Final

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from biomodal_deploy.config.settings import StackSettings
from tests.support.project import ROOT, stack_json

KEY: Final = "arn:aws:kms:eu-west-2:123456789012:key/57ff7a43-341d-46b6-aee3-a450c9de6dc8"


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """One with nothing but a name, and one with all that can be set."""
    from stacks.synthesis import synthesize

    output = tmp_path_factory.mktemp("state-bucket")
    more = {"kms_key_id": KEY, "keep_days": 30, "tags": {"team": "lab"}}
    stacks = {
        name: StackSettings.model_validate(
            {
                "bootstrap": "state-bucket",
                "region": "eu-west-2",
                "state_bucket": {"bucket": "lab-state", **settings},
            }
        )
        for name, settings in (("plain", {}), ("full", more))
    }
    synthesize(stacks, install_script=ROOT / "scripts" / "install_script.sh", output=output)
    return {name: stack_json(output, name) for name in stacks}


@pytest.mark.parametrize("name", ["plain", "full"])
def test_snapshot(
    stacks: dict[str, dict[str, Any]], name: str, snapshot: SnapshotAssertion
) -> None:
    """A bucket that holds everybody's states changes only on purpose."""
    assert stacks[name] == snapshot(extension_class=JSONSnapshotExtension)


@pytest.mark.parametrize("name", ["plain", "full"])
def test_what_must_never_change(stacks: dict[str, dict[str, Any]], name: str) -> None:
    """It is not destroyed, keeps versions, is closed, and takes no variable that says otherwise."""
    made = {kind: found["state"] for kind, found in stacks[name]["resource"].items()}
    assert made["aws_s3_bucket"]["lifecycle"] == {"prevent_destroy": True}
    assert made["aws_s3_bucket"]["force_destroy"] is False
    assert made["aws_s3_bucket_versioning"]["versioning_configuration"] == {"status": "Enabled"}
    flags = made["aws_s3_bucket_public_access_block"]
    assert [value for value in flags.values() if isinstance(value, bool)] == [True] * 4
    ownership = made["aws_s3_bucket_ownership_controls"]["rule"]
    assert ownership == {"object_ownership": "BucketOwnerEnforced"}
    (rule,) = made["aws_s3_bucket_lifecycle_configuration"]["rule"]
    assert "days" not in rule["expiration"][0], "states themselves would go"
    assert "variable" not in stacks[name]


def test_its_state_is_local(stacks: dict[str, dict[str, Any]]) -> None:
    """It cannot be in the bucket that it makes."""
    backend = stacks["plain"]["terraform"]["backend"]
    assert backend == {"local": {"path": "../../../state/plain.tfstate"}}


def test_encryption(stacks: dict[str, dict[str, Any]]) -> None:
    """Amazon S3's keys, or a KMS key that is called once for many objects."""
    rules = [
        stacks[name]["resource"]["aws_s3_bucket_server_side_encryption_configuration"]["state"][
            "rule"
        ][0]
        for name in ("plain", "full")
    ]
    default = "apply_server_side_encryption_by_default"
    assert rules[0] == {default: {"sse_algorithm": "AES256"}}
    assert rules[1] == {
        default: {"sse_algorithm": "aws:kms", "kms_master_key_id": KEY},
        "bucket_key_enabled": True,
    }
