"""The native stack: each row of the document's tables, and nothing that destroys by surprise."""

from __future__ import annotations

from typing import Any, Final

import pytest

# State that exists refers to these; renaming one replaces the resource.
ADDRESSES: Final = {
    "aws_batch_compute_environment.batch",
    "aws_batch_job_queue.job_queue",
    "aws_ecr_repository.image_repository",
    "aws_eip.public_ip",
    "aws_iam_instance_profile.vm_role",
    "aws_iam_role.vm_role",
    "aws_iam_role_policy.vm_role",
    "aws_instance.vm",
    "aws_key_pair.ssh_key",
    "aws_launch_template.batch",
    "aws_s3_bucket.data_bucket",
    "aws_s3_bucket_lifecycle_configuration.data_bucket",
    "aws_s3_bucket_public_access_block.data_bucket",
    "aws_security_group.batch_hosts",
    "aws_security_group.ssh",
    "aws_vpc_security_group_egress_rule.batch_hosts",
    "aws_vpc_security_group_egress_rule.ssh",
    "aws_vpc_security_group_ingress_rule.batch_hosts_from_subnet",
    "aws_vpc_security_group_ingress_rule.batch_hosts_from_vm",
    "aws_vpc_security_group_ingress_rule.ssh_from_anywhere",
}


def at(document: dict[str, Any], path: str) -> Any:
    """Return what stands at a path below the resources, of a list its first."""
    found: Any = document["resource"]
    for key in path.split("."):
        found = found[0][key] if isinstance(found, list) else found[key]
    return found


def test_addresses(native_json: dict[str, Any]) -> None:
    """Exactly these, readable, and fixed once deployed."""
    found = {f"{kind}.{name}" for kind, named in native_json["resource"].items() for name in named}
    assert found == ADDRESSES


def test_no_module_and_no_private_key(native_json: dict[str, Any]) -> None:
    """Nothing is fetched from elsewhere, and no key is made where state and plan would hold it."""
    assert "module" not in native_json
    assert not [kind for kind in native_json["resource"] if kind.startswith(("tls_", "local_"))]
    assert set(native_json["provider"]) == {"aws"}


NAMED: Final = {"Name": "${var.vm_name}"}
IMDS: Final = {"http_endpoint": "enabled", "http_put_response_hop_limit": 1}
MADE: Final = '${var.use_existing_bucket_url == "" ? 1 : 0}'
CLOSED: Final = ("block_public_acls", "block_public_policy", "ignore_public_acls")
TEMPLATE: Final = {
    # Batch freezes `$Latest`; a number shows in the plan when the template changes.
    "launch_template_id": "${aws_launch_template.batch.id}",
    "version": "${aws_launch_template.batch.latest_version}",
}
DISK: Final = {"device_name": "/dev/xvda", "ebs": {"volume_size": 500, "volume_type": "gp2"}}
# By resource: what stands there, and with None what does not.
VALUES: Final[dict[str, dict[str, Any]]] = {
    # Document section "EC2 Instance", and "EC2 Instance Metadata Service (IMDS)".
    "aws_instance.vm": {
        "ami": "${data.aws_ami.ubuntu.id}",
        "instance_type": "${var.instance_type}",
        # The document asks for the first two; the deployer's policy knows it by the name.
        "root_block_device": {
            "encrypted": True,
            "volume_size": "${var.vm_volume_gib}",
            "tags": NAMED,
        },
        "subnet_id": "${data.aws_subnet.subnet.id}",
        "metadata_options": {**IMDS, "http_tokens": "optional"},
        "key_name": "${aws_key_pair.ssh_key.key_name}",
        "iam_instance_profile": "${aws_iam_instance_profile.vm_role.name}",
        "vpc_security_group_ids": ["${aws_security_group.ssh.id}"],
        "tags": NAMED,
        # A new image or script would replace or stop a VM that somebody works on.
        "lifecycle": {"ignore_changes": ["ami", "user_data", "user_data_base64"]},
        "user_data_replace_on_change": None,
    },
    # "Public IP: Elastic IP for consistent external access".
    "aws_eip.public_ip": {"domain": "vpc", "instance": "${aws_instance.vm.id}"},
    # Section "Security Groups": port 22 in, full outbound access.
    "aws_vpc_security_group_ingress_rule.ssh_from_anywhere": {
        "ip_protocol": "tcp",
        "from_port": 22,
        "to_port": 22,
        "cidr_ipv4": "0.0.0.0/0",
    },
    "aws_vpc_security_group_egress_rule.ssh": {"ip_protocol": "-1", "cidr_ipv4": "0.0.0.0/0"},
    # The provider lets inline rules and rule resources undo each other.
    "aws_security_group.ssh": {"ingress": None, "egress": None},
    "aws_security_group.batch_hosts": {"ingress": None, "egress": None},
    # A bucket is made only where none is given, all of it; no public access, `nf-work/` goes.
    "aws_s3_bucket.data_bucket": {"count": MADE, "force_destroy": "${var.bucket_force_destroy}"},
    "aws_s3_bucket_public_access_block.data_bucket": {
        "count": MADE,
        "restrict_public_buckets": True,
        **dict.fromkeys(CLOSED, True),
    },
    "aws_s3_bucket_lifecycle_configuration.data_bucket": {
        "count": MADE,
        "rule.filter": [{"prefix": "nf-work/"}],
        "rule.expiration": [{"days": 14}],
        "rule.status": "Enabled",
    },
    # "Repository Name: Uses the vm_name variable".
    "aws_ecr_repository.image_repository": {"name": "${var.vm_name}"},
    "aws_launch_template.batch": {"block_device_mappings": [DISK]},
    # The module's values, and the service-linked role by naming none.
    "aws_batch_compute_environment.batch": {
        "compute_environment_name": "${var.vm_name}",
        "type": "MANAGED",
        "service_role": None,
        "compute_resources.type": "SPOT",
        "compute_resources.allocation_strategy": "SPOT_CAPACITY_OPTIMIZED",
        "compute_resources.bid_percentage": 100,
        "compute_resources.min_vcpus": 0,
        "compute_resources.max_vcpus": 256,
        "compute_resources.instance_type": ["optimal"],
        "compute_resources.tags": {"${var.tag_key}": "${var.tag_value}"},
        "compute_resources.launch_template": TEMPLATE,
        "lifecycle.ignore_changes": ["compute_resources[0].desired_vcpus"],
        # Batch deletes no environment that a queue names: its successor comes first.
        "lifecycle.create_before_destroy": True,
        # The hardened VM's policy names the queue: the other way round is a cycle there.
        "depends_on": None,
    },
    "aws_batch_job_queue.job_queue": {
        # AWS provider 6 has dropped the plain list, and changing over later replaces the queue.
        "compute_environment_order": [
            {"compute_environment": "${aws_batch_compute_environment.batch.arn}", "order": 1}
        ],
        "compute_environments": None,
        "name": "${var.vm_name}-job-queue",
        "state": "ENABLED",
        "priority": 1,
    },
}


@pytest.mark.parametrize("address", VALUES)
def test_each_row_of_the_documents_tables(native_json: dict[str, Any], address: str) -> None:
    """What the document or the module says, and what protects somebody's work."""
    block = at(native_json, address)
    expected = VALUES[address]
    absent = {path for path, value in expected.items() if value is None}
    assert absent & set(block) == set()
    found = {path: at(native_json, f"{address}.{path}") for path in expected.keys() - absent}
    assert found == {path: value for path, value in expected.items() if value is not None}


def test_the_image_is_canonical_s_in_every_partition(native_json: dict[str, Any]) -> None:
    """Ubuntu 22.04 LTS for amd64, from the account that Canonical has in this partition."""
    image = native_json["data"]["aws_ami"]["ubuntu"]
    assert image["most_recent"] is True
    (owner,) = image["owners"]
    for account in ("099720109477", "837727238323", "513442679011"):
        assert account in owner
    assert {each["name"]: each["values"] for each in image["filter"]} == {
        "name": ["ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*"],
        "virtualization-type": ["hvm"],
    }


def test_what_is_left_to_the_account(native_json: dict[str, Any]) -> None:
    """A destroy keeps a full bucket unless asked, and hosts have the account's own role."""
    assert native_json["variable"]["bucket_force_destroy"]["default"] is False
    path = "aws_batch_compute_environment.batch.compute_resources.instance_role"
    assert at(native_json, path).endswith(":instance-profile/ecsInstanceRole")


def test_arns_follow_the_partition(native_json: dict[str, Any]) -> None:
    """No `arn:aws:` is written down: China and GovCloud have partitions of their own."""

    def strings(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [text for each in value.values() for text in strings(each)]
        if isinstance(value, list):
            return [text for each in value for text in strings(each)]
        return [value] if isinstance(value, str) else []

    arns = [text for text in strings(native_json) if "arn:" in text]
    assert arns
    assert all(text.startswith("arn:${data.aws_partition.current.partition}:") for text in arns)


DOCUMENTED_ACTIONS: Final = {
    "DataBucket": """s3:GetObject s3:PutObject s3:DeleteObject s3:ListObjectsV2 s3:ListBucket""",
    "Images": """ecr:UploadLayerPart ecr:PutImage ecr:ListTagsForResource ecr:ListImages
        ecr:InitiateLayerUpload ecr:GetRepositoryPolicy ecr:GetLifecyclePolicyPreview
        ecr:GetLifecyclePolicy ecr:GetDownloadUrlForLayer ecr:GetAuthorizationToken
        ecr:DescribeRepositories ecr:DescribeImages ecr:CompleteLayerUpload ecr:BatchGetImage
        ecr:BatchCheckLayerAvailability""",
    "BatchJobs": """batch:TerminateJob batch:SubmitJob batch:RegisterJobDefinition batch:ListJobs
        batch:DescribeJobs batch:DescribeJobQueues batch:DescribeJobDefinitions
        batch:DescribeComputeEnvironments""",
    "DescribeHosts": """ecs:DescribeTasks ecs:DescribeContainerInstances ec2:DescribeInstances
        ec2:DescribeInstanceTypes ec2:DescribeInstanceAttribute""",
}


def test_the_vm_may_do_exactly_what_is_documented(native_json: dict[str, Any]) -> None:
    """Document sections "S3 Bucket Permissions" and "Additional Essential Permissions"."""
    statements = native_json["data"]["aws_iam_policy_document"]["vm_role"]["statement"]
    found = {each["sid"]: (set(each["actions"]), each["effect"]) for each in statements}
    assert found == {
        sid: (set(actions.split()), "Allow") for sid, actions in DOCUMENTED_ACTIONS.items()
    }


def test_the_bucket_statement_covers_one_bucket(native_json: dict[str, Any]) -> None:
    """The new or the existing one and its objects; everything else is on `*`, as documented."""
    bucket, *others = native_json["data"]["aws_iam_policy_document"]["vm_role"]["statement"]
    arn = "arn:${data.aws_partition.current.partition}:s3:::${local.bucket_name}"
    assert bucket["resources"] == [arn, f"{arn}/*"]
    assert all(each["resources"] == ["*"] for each in others)


def test_everything_is_tagged(native_json: dict[str, Any]) -> None:
    """`tag_key`, `tag_value` and the stack's own tag are the provider's default tags."""
    (provider,) = native_json["provider"]["aws"]
    assert provider["default_tags"] == [
        {"tags": {"${var.tag_key}": "${var.tag_value}", "biomodal-deployment": "${var.vm_name}"}}
    ]
