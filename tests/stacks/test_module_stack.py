"""The documented stack: what it asks of the upstream module."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from pydantic import TypeAdapter

from tests.support.project import ROOT

INTERFACE: Final = json.loads((ROOT / "tests" / "data" / "bootstrap_module.json").read_text())
SOURCE: Final = "git::https://github.com/cegx-ds/terraform-aws-bootstrap.git?ref=module_update"


@pytest.fixture(scope="module")
def call(module_json: dict[str, Any]) -> dict[str, Any]:
    """The arguments of the module call."""
    block = module_json["module"]["bootstrap"]
    return {name: value for name, value in block.items() if name not in ("//", "source")}


def test_the_source_is_the_documented_one(module_json: dict[str, Any]) -> None:
    """Document section "Bootstrap Module Branch"."""
    assert module_json["module"]["bootstrap"]["source"] == SOURCE
    assert SOURCE.startswith(INTERFACE["source"])


def test_addresses(module_json: dict[str, Any]) -> None:
    """State that exists refers to these."""
    addresses = {
        f"{kind}.{name}" for kind, named in module_json["resource"].items() for name in named
    }
    assert addresses == {"aws_ecr_repository.image_repository"}
    assert set(module_json["module"]) == {"bootstrap"}
    assert module_json["data"].keys() == {"aws_caller_identity"}
    assert module_json["data"]["aws_caller_identity"].keys() == {"current"}


def test_arguments_are_the_modules_inputs(call: dict[str, Any]) -> None:
    """Terraform refuses all of it for one that the module does not have, and for one missing."""
    required = {name for name, each in INTERFACE["inputs"].items() if "default" not in each}
    assert required <= set(call) <= set(INTERFACE["inputs"])


TYPES: Final[dict[str, Any]] = {
    "string": str,
    "bool": bool,
    "number": int,
    "list(string)": list[str],
    "list(any)": list[str],
    "map(any)": dict,
    "map(list(string))": dict[str, list[str]],
}


@pytest.mark.parametrize("name", sorted(INTERFACE["inputs"]))
def test_literal_arguments_have_the_input_s_type(call: dict[str, Any], name: str) -> None:
    """A number is a number and a list a list; expressions are typed by Terraform itself."""
    value = call.get(name)
    if value is not None and not (isinstance(value, str) and "${" in value):
        TypeAdapter(TYPES[INTERFACE["inputs"][name]["type"]]).validate_python(value, strict=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        # "AMI: Ubuntu 22.04 LTS", from Canonical.
        ("ami_owners", ["099720109477"]),
        (
            "ami_filter",
            {
                "name": ["ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*"],
                "virtualization-type": ["hvm"],
            },
        ),
        # "Storage: 100 GB root block device".
        ("root_block_device_volume_size", "${var.vm_volume_gib}"),
        # "Public IP: Elastic IP"; a string in the module's interface.
        ("eip_enabled", "true"),
        # "metadata_http_tokens_required = false".
        ("metadata_http_tokens_required", False),
        # "AWS Batch: Compute environment and job queue".
        ("deploy_batch", True),
        # "Instance Type: Set via the Terraform variable instance_type".
        ("instance_type", "${var.instance_type}"),
        ("tags", {"${var.tag_key}": "${var.tag_value}"}),
        ("name", "${var.vm_name}"),
        ("vpc_id", "${var.vpc_id}"),
        ("subnet_id", "${var.subnet_id}"),
        ("ssh_user", "${var.ssh_user}"),
        ("account_id", "${data.aws_caller_identity.current.account_id}"),
        # "private_key_filename" lies in ~/.ssh.
        ("ssh_public_key_path", '${pathexpand("~/.ssh")}'),
        # "Optional: Can be disabled by setting use_existing_bucket_url".
        ("create_bucket", '${var.use_existing_bucket_url == ""}'),
        ("bucket_force_destroy", "${var.bucket_force_destroy}"),
    ],
)
def test_what_the_document_promises(call: dict[str, Any], name: str, value: object) -> None:
    """Each promise of the document is an argument of the call."""
    assert call[name] == value


LEFT_OPEN: Final = """
    ami batch_additional_ingress_cidr_blocks disable_api_termination ebs_block_device_encrypted
    ebs_block_device_volume_size ebs_delete_on_termination ebs_device_name instance_profile key_name
    metadata_http_endpoint_enabled metadata_http_put_response_hop_limit monitoring
    root_block_device_encrypted security_group_description security_group_enabled
    security_group_rules security_group_use_name_prefix security_groups ssh_key_algorithm
"""


def test_nothing_else_is_asked_for(call: dict[str, Any]) -> None:
    """Whatever the document leaves open stays the module's own choice."""
    assert set(INTERFACE["inputs"]) - set(call) == set(LEFT_OPEN.split())


def test_outputs_ask_only_for_what_the_module_gives_out(module_json: dict[str, Any]) -> None:
    """Every `module.bootstrap.X` is one of the module's outputs."""
    text = json.dumps(module_json["output"])
    asked = {each.split("}")[0].split(" ")[0] for each in text.split("module.bootstrap.")[1:]}
    assert asked == {"bucket_id", "private_ip", "private_key_filename", "public_ip", "ssh_user"}
    assert asked <= set(INTERFACE["outputs"])


def test_the_image_repository_is_named_and_tagged(module_json: dict[str, Any]) -> None:
    """The module makes no repository: the documented root configuration does."""
    repository = module_json["resource"]["aws_ecr_repository"]["image_repository"]
    assert repository["name"] == "${var.vm_name}"
    assert repository["tags"] == {"${var.tag_key}": "${var.tag_value}"}
