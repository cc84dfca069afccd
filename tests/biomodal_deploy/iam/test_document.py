"""Tests of `biomodal_deploy.iam.document`."""

from __future__ import annotations

from pathlib import Path

import pytest

from biomodal_deploy.errors import UsageError
from biomodal_deploy.iam.document import Document, described_module, listed, read_document
from tests.support.changes import NATIVE

SOURCE = "git::https://github.com/cegx-ds/terraform-aws-bootstrap.git?ref=module_update"


@pytest.mark.parametrize("text", [None, "", "[]", '{"resource": 3}', "\x00"])
def test_what_is_no_stack(tmp_path: Path, text: str | None) -> None:
    """A directory without readable Terraform JSON is a usage error that names the file."""
    if text is not None:
        (tmp_path / "cdk.tf.json").write_text(text)
    with pytest.raises(UsageError) as error:
        read_document(tmp_path)
    assert error.value.field == str(tmp_path / "cdk.tf.json")


@pytest.mark.parametrize("many", [False, True])
def test_sections(many: bool) -> None:
    """Blocks are read alike, one or a list of them."""
    provider = {"region": "eu-west-2", "default_tags": {"tags": {"a": "b"}}}
    backend = {"s3": {"bucket": "state"}}
    document = Document.model_validate(
        {
            "provider": {"aws": [provider] if many else provider},
            "terraform": {"backend": [backend] if many else backend},
        }
    )
    assert document.default_tags() == {"a": "b"}
    assert document.region() == "eu-west-2"
    assert list(document.backends()) == [("s3", {"bucket": "state"})]


def test_the_described_module() -> None:
    """The documented module is described, whatever the branch; another is not."""
    described = described_module(SOURCE)
    assert described
    assert "aws_batch_compute_environment" in described.resource
    assert described_module("git::https://example.com/other.git") is None


def test_the_described_module_gives_the_vm_what_the_document_lists() -> None:
    """As the native stack does; its few actions more are in docs/implementations.md."""

    def actions(document: Document, name: str) -> set[str]:
        statements = document.data["aws_iam_policy_document"][name]["statement"]
        found = [each["actions"] for each in listed(statements)]
        return {str(action) for each in found if isinstance(each, list) for action in each}

    described = described_module(SOURCE)
    assert described
    native = Document.model_validate_json(NATIVE.read_text())
    more = {
        "batch:TagResource",
        "ec2:DescribeInstanceStatus",
        "ecr:CreateRepository",
        "ecr:DescribeImageScanFindings",
    }
    assert actions(described, "main") - actions(native, "vm_role") == more
    assert actions(native, "vm_role") <= actions(described, "main")
