"""KMS keys: one of the stack's own for everything, or that of a bucket that was there."""

from __future__ import annotations

from typing import Any, Final

import pytest

from biomodal_deploy.config.settings import StackSettings
from tests.support.project import ROOT, stack_json

OWN: Final = "arn:aws:kms:eu-west-2:123456789012:key/11111111-2222-3333-4444-555555555555"
BUCKETS: Final = "arn:aws:kms:us-east-1:210987654321:key/mrk-" + "0" * 32
_HARDENED: Final[dict[str, Any]] = {"bootstrap": "native", "profile": "hardened"}
_IN_S3: Final = {"kind": "s3", "bucket": "lab-state", "region": "eu-west-2"}
KINDS: Final[dict[str, dict[str, Any]]] = {
    "plain": _HARDENED,
    "own": {**_HARDENED, "kms_key_arn": OWN, "backend": _IN_S3},
    "both": {
        **_HARDENED,
        "kms_key_arn": OWN,
        "bucket_kms_key_arn": BUCKETS,
        "backend": {**_IN_S3, "key": "both", "kms_key_id": "alias/state"},
    },
    "native": {"bootstrap": "native", "bucket_kms_key_arn": BUCKETS},
    "module": {"bucket_kms_key_arn": BUCKETS},
    "hardened-module": {"profile": "hardened", "bucket_kms_key_arn": BUCKETS},
}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Each kind, synthesized."""
    from stacks.synthesis import synthesize

    output = tmp_path_factory.mktemp("keys")
    stacks = {name: StackSettings.model_validate(each) for name, each in KINDS.items()}
    script = ROOT / "scripts" / "install_script.sh"
    synthesize(stacks, install_script=script, output=output)
    return {name: stack_json(output, name) for name in KINDS}


def encrypted_with(stack: dict[str, Any]) -> dict[str, object]:
    """Return the key of everything that can have one, as the stack says it."""
    resources = stack["resource"]
    [rule] = resources["aws_s3_bucket_server_side_encryption_configuration"][
        "data_bucket_protection"
    ]["rule"]
    default = rule["apply_server_side_encryption_by_default"]
    [disk] = resources["aws_launch_template"]["batch"]["block_device_mappings"]
    [images] = resources["aws_ecr_repository"]["image_repository"].get(
        "encryption_configuration", [{}]
    )
    return {
        "bucket": default.get("kms_master_key_id"),
        "algorithm": default["sse_algorithm"],
        "vm": resources["aws_instance"]["vm"]["root_block_device"].get("kms_key_id"),
        "hosts": disk["ebs"].get("kms_key_id"),
        "images": images.get("kms_key"),
        "logs": resources["aws_cloudwatch_log_group"]["task_logs"].get("kms_key_id"),
        "state": stack["terraform"]["backend"].get("s3", {}).get("kms_key_id"),
    }


def statements(stack: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the statements about KMS, by the policy document that has them."""
    found = {}
    for name, document in stack["data"]["aws_iam_policy_document"].items():
        listed = document["statement"]
        about = [each for each in listed if any("kms:" in action for action in each["actions"])]
        if about:
            found[name] = about
    return found


def test_own_key(stacks: dict[str, dict[str, Any]]) -> None:
    """One setting encrypts bucket, volumes, repository, logs and state; without it none has one."""
    kinds = ("bucket", "vm", "hosts", "images", "logs", "state")
    assert encrypted_with(stacks["own"]) == {**dict.fromkeys(kinds, OWN), "algorithm": "aws:kms"}
    assert encrypted_with(stacks["plain"]) == {**dict.fromkeys(kinds), "algorithm": "AES256"}
    assert encrypted_with(stacks["both"])["state"] == "alias/state"
    assert stacks["own"]["terraform"]["backend"]["s3"]["encrypt"] is True


def test_what_exists_keeps_its_key(stacks: dict[str, dict[str, Any]]) -> None:
    """A disk's and a repository's key is fixed at creation: a change would replace both."""
    resources = stacks["own"]["resource"]
    vm = resources["aws_instance"]["vm"]["lifecycle"]["ignore_changes"]
    assert "root_block_device[0].kms_key_id" in vm
    repository = resources["aws_ecr_repository"]["image_repository"]["lifecycle"]
    assert repository == {"ignore_changes": ["encryption_configuration"]}


@pytest.mark.parametrize(
    ("name", "documents", "keys", "services"),
    [
        ("own", {"vm_role", "batch_host_role"}, [OWN], {"s3.eu-west-2", "logs.eu-west-2"}),
        (
            "both",
            {"vm_role", "batch_host_role"},
            [OWN, BUCKETS],
            {"s3.eu-west-2", "logs.eu-west-2", "s3.us-east-1", "logs.us-east-1"},
        ),
        ("native", {"vm_role"}, [BUCKETS], {"s3.us-east-1"}),
        ("module", {"bucket_key"}, [BUCKETS], {"s3.us-east-1"}),
        ("hardened-module", {"bucket_key"}, [BUCKETS], {"s3.us-east-1"}),
    ],
)
def test_who_may_use_a_key(
    stacks: dict[str, dict[str, Any]],
    name: str,
    documents: set[str],
    keys: list[str],
    services: set[str],
) -> None:
    """The VM, and the hosts whose role is the stack's own, through the services alone."""
    found = statements(stacks[name])
    assert {each.removesuffix("_permissions") for each in found} == documents
    for [statement] in found.values():
        assert statement["actions"] == ["kms:Decrypt", "kms:GenerateDataKey"]
        assert statement["resources"] == keys
        [condition] = statement["condition"]
        assert (condition["test"], condition["variable"]) == ("StringEquals", "kms:ViaService")
        assert set(condition["values"]) == {f"{each}.amazonaws.com" for each in services}
    assert not statements(stacks["plain"])


def test_the_modules_role(stacks: dict[str, dict[str, Any]]) -> None:
    """The policy goes onto the role that the module makes, once it is there."""
    policy = stacks["module"]["resource"]["aws_iam_role_policy"]["bucket_key"]
    assert policy["role"] == "${var.vm_name}"
    assert policy["depends_on"] == ["module.bootstrap"]
