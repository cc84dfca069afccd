"""What a KMS key takes of who deploys: on that key, and nothing where there is none."""

from __future__ import annotations

from typing import Any, Final

import pytest
from pydantic import JsonValue

from biomodal_deploy.iam import Place
from biomodal_deploy.iam.catalog import LIFE_CYCLE, Phase, catalog
from biomodal_deploy.iam.language import parse_policy
from biomodal_deploy.iam.needs import Need, needs_of
from biomodal_deploy.iam.permissions import vm_policies
from biomodal_deploy.iam.stack import Document, Module

REGION: Final = "eu-west-2"
KEY_ID: Final = "11111111-2222-3333-4444-555555555555"
KEY: Final = f"arn:aws:kms:{REGION}:123456789012:key/{KEY_ID}"
_RESOURCES: Final[dict[str, Any]] = {
    "aws_instance": {"vm": {"root_block_device": {"kms_key_id": KEY}}},
    "aws_ecr_repository": {
        "images": {"name": "lab", "encryption_configuration": [{"kms_key": KEY}]}
    },
    "aws_cloudwatch_log_group": {"tasks": {"name": "/lab", "kms_key_id": KEY}},
}


def needed(document: dict[str, Any], region: str = REGION) -> list[Need]:
    """Return what a stack needs of KMS, and of the logs' keys."""
    whole = {"provider": {"aws": [{"region": region}]}, **document}
    place = Place.of(region, "123456789012")
    found = needs_of(Document.model_validate(whole), {}, place).of(LIFE_CYCLE)
    return [each for each in found if "kms" in each.action.lower()]


def in_s3(**settings: JsonValue) -> dict[str, Any]:
    """Return a stack whose state is in S3."""
    backend = {"bucket": "b", "key": "k", "region": REGION, **settings}
    return {"terraform": {"backend": {"s3": backend}}}


def test_resources() -> None:
    """EC2 and ECR get a grant from who deploys, and the logs service is told which key."""
    found = needed({"resource": _RESOURCES})
    by_action = {each.action: each for each in found if each.kind == "aws_instance"}
    actions = "CreateGrant Decrypt DescribeKey GenerateDataKeyWithoutPlaintext ReEncryptFrom"
    assert set(by_action) == {f"kms:{each}" for each in (*actions.split(), "ReEncryptTo")}
    for_aws = {"Bool": {"kms:GrantIsForAWSResource": ("true",)}}
    assert by_action["kms:CreateGrant"].condition == for_aws
    via = {"StringEquals": {"kms:ViaService": ("ec2.eu-west-2.amazonaws.com",)}}
    assert by_action["kms:Decrypt"].condition == via
    assert {(each.action, each.phase) for each in found if each.kind == "aws_ecr_repository"} == {
        ("kms:CreateGrant", Phase.APPLY),
        ("kms:DescribeKey", Phase.APPLY),
        ("kms:RetireGrant", Phase.DESTROY),
    }
    of_logs = {each.action for each in found if each.kind == "aws_cloudwatch_log_group"}
    assert of_logs == {"logs:AssociateKmsKey", "logs:DisassociateKmsKey"}
    assert {each.resources for each in found if each.action.startswith("kms:")} == {(KEY,)}


def test_resources_without_a_key() -> None:
    """Nothing of KMS where no key is named."""
    plain: dict[str, Any] = {
        "aws_instance": {"vm": {"root_block_device": {"encrypted": True}}},
        "aws_ecr_repository": {"images": {"name": "lab"}},
        "aws_cloudwatch_log_group": {"tasks": {"name": "/lab"}},
    }
    assert not needed({"resource": plain})
    assert not needed(in_s3())


ALIAS: Final = {"kms:ResourceAliases": ("alias/lab",)}
ANY_KEY: Final = KEY.replace(KEY_ID, "*")


@pytest.mark.parametrize(
    ("named", "resource", "more"),
    [
        (KEY, KEY, {}),
        (KEY_ID, KEY, {}),
        ("alias/lab", ANY_KEY, ALIAS),
        (KEY.replace(f"key/{KEY_ID}", "alias/lab"), ANY_KEY, ALIAS),
    ],
)
def test_a_state(named: str, resource: str, more: dict[str, tuple[str, ...]]) -> None:
    """Read and written with the backend's key, however that is named, also by a plan alone."""
    found = needed(in_s3(kms_key_id=named))
    assert {(each.action, each.phase) for each in found} == {
        (action, phase) for action in ("kms:Decrypt", "kms:GenerateDataKey") for phase in LIFE_CYCLE
    }
    for each in found:
        assert each.resources == (resource,)
        assert each.condition["StringEquals"] == {"kms:ViaService": (f"s3.{REGION}.amazonaws.com",)}
        assert each.condition.get("ForAnyValue:StringEquals", {}) == more


def test_in_china() -> None:
    """The services have other names there."""
    found = needed({"resource": _RESOURCES}, "cn-north-1")
    via = {each.condition.get("StringEquals", {}).get("kms:ViaService") for each in found}
    assert ("ec2.cn-north-1.amazonaws.com.cn",) in via


def test_the_vm_s_statements_keep_their_conditions() -> None:
    """A key is used through S3 alone, and the policy that is shown says so."""
    condition = {"test": "StringEquals", "variable": "kms:ViaService", "values": ["s3.x"]}
    statement = {"actions": ["kms:Decrypt"], "resources": [KEY], "condition": [condition]}
    document = Document.model_validate(
        {
            "data": {"aws_iam_policy_document": {"vm": {"statement": [statement]}}},
            "resource": {
                "aws_iam_role_policy": {
                    "vm": {"policy": "${data.aws_iam_policy_document.vm.json}", "role": "lab"}
                }
            },
        }
    )
    place = Place.of(REGION, "123456789012")
    [policy] = vm_policies(Module(document, {}, place, catalog()))
    [shown] = parse_policy(dict(policy.document)).statements
    assert shown.condition == {"StringEquals": {"kms:ViaService": ("s3.x",)}}
