"""Every argument of the native stack: changed in place, replacing its resource, or fixed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from biomodal_deploy.iam.catalog import catalog
from tests.support.project import ROOT

Document = dict[str, Any]

NATIVE: Final = ROOT / "tests/stacks/__snapshots__/test_snapshots/test_native_stack.json"
HARDENED_MODULE: Final = ROOT / "tests/stacks/__snapshots__/test_hardened/test_module_snapshot.json"
HARDENED_NATIVE: Final = ROOT / "tests/stacks/__snapshots__/test_hardened/test_native_snapshot.json"
MODULE: Final = ROOT / "tests/stacks/__snapshots__/test_snapshots/test_module_stack.json"
EXTRA: Final = {"extra": "yes"}
_META: Final = ("//", "count", "depends_on", "lifecycle")

# By kind and argument. A change makes Terraform replace the resource: destroy and create.
REPLACING: Final[dict[str, Any]] = {
    "aws_batch_compute_environment.compute_environment_name": "other",
    "aws_batch_job_queue.name": "other",
    "aws_ecr_repository.name": "other",
    "aws_eip.domain": "standard",
    "aws_iam_instance_profile.name": "other",
    "aws_iam_role.name": "other",
    "aws_iam_role_policy.name": "other",
    "aws_iam_role_policy.role": "other",
    "aws_instance.key_name": "other",
    "aws_instance.root_block_device.encrypted": False,
    "aws_key_pair.key_name": "other",
    "aws_key_pair.public_key": "ssh-ed25519 "
    "AAAAC3NzaC1lZDI1NTE5AAAAIBmGhJ+8m8rT6f1uTqn3yG4jRFx3mZ9Yq0oKq1Yh0m8X other",
    "aws_launch_template.name": "other",
    "aws_s3_bucket.bucket": "other-bucket",
    "aws_security_group.description": "other",
    "aws_security_group.name": "other",
    "aws_security_group.name_prefix": "other-",
    "aws_security_group.vpc_id": "vpc-0123456789abcdef0",
}

# What changes with what it refers to.
REFERRING: Final = {
    "aws_batch_compute_environment.compute_resources.launch_template.version",
    "aws_iam_role.assume_role_policy",
    "aws_iam_role_policy.policy",
}

# No change of it is a change of the stack: why.
FIXED: Final[dict[str, str]] = {
    "aws_batch_compute_environment.compute_resources.instance_role": "the document names it",
    "aws_batch_compute_environment.compute_resources.launch_template.launch_template_id": "id",
    "aws_batch_compute_environment.compute_resources.security_group_ids": "id",
    "aws_batch_compute_environment.compute_resources.subnets": "goes with the VM's subnet",
    "aws_batch_compute_environment.compute_resources.type": "goes with the strategy",
    "aws_batch_compute_environment.type": "an unmanaged one is another thing",
    "aws_batch_job_queue.compute_environment_order.0.compute_environment": "the only one",
    "aws_batch_job_queue.compute_environment_order.0.order": "the only one",
    "aws_batch_job_queue.state": "a disabled queue runs nothing",
    "aws_eip.instance": "id",
    "aws_iam_instance_profile.role": "goes with the role's name",
    "aws_instance.ami": "the stack ignores its changes",
    "aws_instance.metadata_options.http_endpoint": "without it the VM has no credentials",
    "aws_instance.subnet_id": "id",
    "aws_instance.user_data_base64": "the stack ignores its changes",
    "aws_s3_bucket.force_destroy": "Terraform keeps it to itself",
    "aws_s3_bucket_lifecycle_configuration.bucket": "goes with the bucket's name",
    "aws_s3_bucket_public_access_block.bucket": "goes with the bucket's name",
    "aws_vpc_security_group_egress_rule.security_group_id": "id",
    "aws_vpc_security_group_ingress_rule.security_group_id": "id",
}


def more_tags(document: Document) -> None:
    """Give everything that takes tags one more."""
    for kind, named in document["resource"].items():
        for body in named.values():
            if catalog().kinds[kind].tagged:
                body["tags"] = body.get("tags", {}) | EXTRA
            if "root_block_device" in body:
                body["root_block_device"]["tags"] |= EXTRA


def fewer_tags(document: Document) -> None:
    """Take that tag away again."""
    for named in document["resource"].values():
        for body in named.values():
            for block in (body, body.get("root_block_device", {})):
                block.get("tags", {}).pop("extra", None)


def spare_profile(document: Document) -> None:
    """Add an instance profile with the VM's role, for the VM to go over to."""
    profiles = document["resource"]["aws_iam_instance_profile"]
    [(_, own)] = profiles.items()
    profiles["spare"] = own | {"name": "${var.vm_name}-spare"}


def every_argument(document: Document) -> None:
    """Change whatever can change in place."""
    of = document["resource"]
    of["aws_batch_compute_environment"]["batch"]["compute_resources"] |= {
        "allocation_strategy": "BEST_FIT_PROGRESSIVE",
        "bid_percentage": 90,
        "instance_type": ["m5"],
        "max_vcpus": 128,
        "min_vcpus": 1,
        "tags": {"environment": "other"},
    }
    of["aws_batch_job_queue"]["job_queue"]["priority"] = 2
    [mapping] = of["aws_launch_template"]["batch"]["block_device_mappings"]
    mapping["device_name"] = "/dev/xvdb"
    mapping["ebs"] |= {"volume_size": 600, "volume_type": "gp3"}
    vm = of["aws_instance"]["vm"]
    vm["instance_type"] = "t3.xlarge"
    vm["iam_instance_profile"] = "${aws_iam_instance_profile.spare.name}"
    vm["monitoring"] = False
    vm["metadata_options"] |= {"http_tokens": "required", "http_put_response_hop_limit": 2}
    vm["root_block_device"]["volume_size"] = 120
    vm["root_block_device"]["tags"]["disk"] = "root"
    vm["vpc_security_group_ids"].append("${aws_security_group.batch_hosts.id}")
    [rule] = of["aws_s3_bucket_lifecycle_configuration"]["data_bucket"]["rule"]
    rule |= {"id": "other", "status": "Disabled"}
    rule["expiration"][0]["days"] = 20
    rule["filter"][0]["prefix"] = "other/"
    block = of["aws_s3_bucket_public_access_block"]["data_bucket"]
    block.update((key, False) for key in block if block[key] is True)
    ssh = {"description": "Changed", "ip_protocol": "udp", "from_port": 23, "to_port": 24}
    of["aws_vpc_security_group_ingress_rule"]["ssh_from_anywhere"] |= ssh | {
        "cidr_ipv4": "10.0.0.0/8"
    }
    of["aws_vpc_security_group_egress_rule"]["ssh"] |= ssh | {"cidr_ipv4": "10.0.0.0/8"}
    documents = document["data"]["aws_iam_policy_document"]
    documents["vm_role"]["statement"][0]["actions"].append("s3:AbortMultipartUpload")
    documents["vm_role_trust"]["statement"][0]["sid"] = "Ec2"


def replacing(document: Document) -> None:
    """Change whatever replaces its resource."""
    for kind, named in document["resource"].items():
        for body in named.values():
            for path, _ in list(arguments(body)):
                value = REPLACING.get(f"{kind}.{path}")
                if value is not None:
                    _put(body, path.split("."), value)


def arguments(body: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Give the arguments of a block by their path, without tags and what is Terraform's own."""
    if isinstance(body, dict):
        items = [(key, value) for key, value in body.items() if key not in (*_META, "tags")]
    elif isinstance(body, list) and body and isinstance(body[0], dict):
        items = [(str(number), value) for number, value in enumerate(body)]
    else:
        yield prefix.rstrip("."), body
        return
    for key, value in items:
        yield from arguments(value, f"{prefix}{key}.")


def snapshot() -> Document:
    """Return the synthesized native stack, as its snapshot has it."""
    document: Document = json.loads(NATIVE.read_text())
    return document


def _put(body: Any, path: list[str], value: Any) -> None:
    *way, last = path
    for part in way:
        body = body[int(part)] if isinstance(body, list) else body[part]
    body[last] = value
