"""Tests of `biomodal_deploy.iam.stack`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from biomodal_deploy.errors import UsageError
from biomodal_deploy.iam import Place
from biomodal_deploy.iam.catalog import SUFFIX, catalog
from biomodal_deploy.iam.functions import UNKNOWN
from biomodal_deploy.iam.stack import (
    Block,
    Document,
    Module,
    described_module,
    listed,
    read_document,
)
from tests.support.changes import NATIVE

PLACE = Place(partition="aws", region="eu-west-2", account="123456789012")


def module(document: dict[str, Any], **given: JsonValue) -> Module:
    """Return a configuration with values."""
    return Module(Document.model_validate(document), given, PLACE, catalog())


def block(stack: Module, address: str) -> Block:
    """Return the block of an address."""
    return next(each for each in stack.blocks() if each.address == address)


def test_values_come_from_variables_their_defaults_and_locals() -> None:
    """A given value beats the default, and locals see both."""
    stack = module(
        {
            "variable": {"a": {"default": "x"}, "b": {"default": "y"}, "c": {}},
            "locals": {"both": "${var.a}-${var.b}-${var.c}"},
            "resource": {"aws_iam_role": {"r": {"name": "${local.both}"}}},
        },
        b="z",
    )
    assert block(stack, "aws_iam_role.r").get("name") == f"x-z-{UNKNOWN}"


def test_a_cycle_is_unknown() -> None:
    """Locals that name each other end nowhere, and not in a stack overflow."""
    stack = module({"locals": {"a": "${local.b}", "b": "${local.a}"}})
    assert stack.look_up(("local", "a")) == UNKNOWN


def test_count() -> None:
    """A block that is counted to nothing is not there, one that may be is."""
    counts = {"no": "${var.make ? 1 : 0}", "yes": "${var.make ? 0 : 1}"}
    counts["perhaps"] = "${aws_eip.x.id}"
    roles = {name: {"count": count} for name, count in counts.items()}
    document = {"variable": {"make": {}}, "resource": {"aws_iam_role": roles}}
    stack = module(document, make=False)
    assert {each.name for each in stack.blocks()} == {"yes", "perhaps"}


def test_ids_that_are_names() -> None:
    """What AWS will answer is known where it is the name; a suffix has its length."""
    stack = module(
        {
            "resource": {
                "aws_s3_bucket": {"b": {"bucket_prefix": "data"}},
                "aws_batch_compute_environment": {"e": {"compute_environment_name": "dev"}},
                "aws_eip": {"a": {}},
            },
            "data": {"aws_caller_identity": {"me": {}}, "aws_partition": {"p": {}}},
        }
    )
    assert stack.look_up(("aws_s3_bucket", "b", 0, "id")) == f"data{SUFFIX}"
    assert stack.look_up(("aws_batch_compute_environment", "e", "arn")) == (
        "arn:aws:batch:eu-west-2:123456789012:compute-environment/dev"
    )
    assert stack.look_up(("aws_eip", "a", "id")) == UNKNOWN
    assert stack.look_up(("aws_eip", "a", "public_ip")) == UNKNOWN
    assert stack.look_up(("data", "aws_caller_identity", "me", "account_id")) == "123456789012"
    assert stack.look_up(("data", "aws_partition", "p", "partition")) == "aws"


def test_paths_go_into_blocks_and_along_references() -> None:
    """An argument's path follows what the argument refers to."""
    stack = module(
        {
            "resource": {
                "aws_iam_role": {"r": {"name": "role"}},
                "aws_iam_instance_profile": {"p": {"name": "p", "role": "${aws_iam_role.r.name}"}},
                "aws_instance": {
                    "vm": {
                        "iam_instance_profile": "${aws_iam_instance_profile.p.name}",
                        "root_block_device": [{"encrypted": True}],
                        "groups": ["${aws_security_group.a.id}", "${aws_security_group.b.id}"],
                    }
                },
                "aws_security_group": {"a": {"vpc_id": "vpc-1"}, "b": {"vpc_id": "vpc-1"}},
            }
        }
    )
    vm = block(stack, "aws_instance.vm")
    assert vm.get("iam_instance_profile.role") == "role"
    assert vm.get("root_block_device.encrypted") == [True]
    assert vm.fill("{groups.vpc_id}") == ("vpc-1",)
    assert vm.get("nothing") is None
    assert vm.get("root_block_device.nothing") == [None]


def test_tags() -> None:
    """A resource carries the default tags under its own; one that takes none carries none."""
    stack = module(
        {
            "provider": {"aws": {"default_tags": {"tags": {"${var.key}": "test", "Name": "all"}}}},
            "variable": {"key": {"default": "stage"}},
            "resource": {
                "aws_eip": {"a": {"tags": {"Name": "dev", "id": "${aws_eip.a.id}"}}},
                "aws_iam_role_policy": {"p": {}},
            },
        }
    )
    address = block(stack, "aws_eip.a")
    assert address.tags() == {"stage": "test", "Name": "dev"}
    assert address.fill("{tag.key}={tag.value}") == ("Name=dev",)
    assert block(stack, "aws_iam_role_policy.p").tags() == {}


@pytest.mark.parametrize("known_by", [0, 1, 2])
def test_the_tag_that_a_resource_is_known_by(known_by: int) -> None:
    """It is the stack's own, before the name, and before what is chosen for everything."""
    ranked = [("biomodal-deployment", "dev"), ("Name", "all"), ("stage", "test")][known_by:]
    provider = {"aws": {"default_tags": {"tags": dict(reversed(ranked))}}}
    stack = module({"provider": provider, "resource": {"aws_launch_template": {"t": {}}}})
    template = block(stack, "aws_launch_template.t")
    assert template.fill("{tag.key}={tag.value}") == ("=".join(ranked[0]),)


def test_called_modules() -> None:
    """The described module is seen with the values that it gets; another is a gap."""
    source = "git::https://github.com/cegx-ds/terraform-aws-bootstrap.git"
    known = {"source": source, "name": "${var.name}", "create_bucket": True}
    modules = {"known": known, "other": {"source": "./other"}}
    stack = module({"variable": {"name": {}}, "module": modules}, name="dev")
    assert block(stack, "module.known.aws_iam_role.default").get("name") == "dev"
    addresses = {each.address for each in stack.blocks()}
    assert "module.known.aws_s3_bucket.this" in addresses
    assert "module.known.aws_batch_job_queue.this" not in addresses
    assert stack.undescribed() == ["module.other"]


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
