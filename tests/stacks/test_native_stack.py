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


def resource(native_json: dict[str, Any], address: str) -> dict[str, Any]:
    """Return the block at an address."""
    kind, name = address.split(".")
    block: dict[str, Any] = native_json["resource"][kind][name]
    return block


def test_addresses(native_json: dict[str, Any]) -> None:
    """Exactly these, readable, and fixed once deployed."""
    found = {f"{kind}.{name}" for kind, named in native_json["resource"].items() for name in named}
    assert found == ADDRESSES


def test_no_module_and_no_private_key(native_json: dict[str, Any]) -> None:
    """Nothing is fetched from elsewhere, and no key is made where state and plan would hold it."""
    assert "module" not in native_json
    assert not [kind for kind in native_json["resource"] if kind.startswith(("tls_", "local_"))]
    assert set(native_json["provider"]) == {"aws"}


def test_the_vm(native_json: dict[str, Any]) -> None:
    """Document section "EC2 Instance", and "EC2 Instance Metadata Service (IMDS)"."""
    vm = resource(native_json, "aws_instance.vm")
    assert vm["ami"] == "${data.aws_ami.ubuntu.id}"
    assert vm["instance_type"] == "${var.instance_type}"
    # The document asks for the first two; the name is by which the deployer's policy knows it.
    assert vm["root_block_device"] == {
        "encrypted": True,
        "volume_size": "${var.vm_volume_gib}",
        "tags": {"Name": "${var.vm_name}"},
    }
    assert vm["subnet_id"] == "${data.aws_subnet.subnet.id}"
    assert vm["metadata_options"] == {
        "http_endpoint": "enabled",
        "http_put_response_hop_limit": 1,
        "http_tokens": "optional",
    }
    assert vm["key_name"] == "${aws_key_pair.ssh_key.key_name}"
    assert vm["iam_instance_profile"] == "${aws_iam_instance_profile.vm_role.name}"
    assert vm["vpc_security_group_ids"] == ["${aws_security_group.ssh.id}"]
    assert vm["tags"] == {"Name": "${var.vm_name}"}


def test_a_new_image_or_script_does_not_touch_the_vm(native_json: dict[str, Any]) -> None:
    """Both would replace or stop a VM that somebody works on."""
    vm = resource(native_json, "aws_instance.vm")
    assert vm["lifecycle"] == {"ignore_changes": ["ami", "user_data", "user_data_base64"]}
    assert "user_data_replace_on_change" not in vm


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


def test_the_public_address_is_static(native_json: dict[str, Any]) -> None:
    """Document: "Public IP: Elastic IP for consistent external access"."""
    address = resource(native_json, "aws_eip.public_ip")
    assert (address["domain"], address["instance"]) == ("vpc", "${aws_instance.vm.id}")


def test_ssh_is_open_and_everything_goes_out(native_json: dict[str, Any]) -> None:
    """Document section "Security Groups": port 22 in, full outbound access."""
    rule = resource(native_json, "aws_vpc_security_group_ingress_rule.ssh_from_anywhere")
    assert (rule["ip_protocol"], rule["from_port"], rule["to_port"]) == ("tcp", 22, 22)
    assert rule["cidr_ipv4"] == "0.0.0.0/0"
    out = resource(native_json, "aws_vpc_security_group_egress_rule.ssh")
    assert (out["ip_protocol"], out["cidr_ipv4"]) == ("-1", "0.0.0.0/0")


@pytest.mark.parametrize("name", ["ssh", "batch_hosts"])
def test_groups_have_no_inline_rules(native_json: dict[str, Any], name: str) -> None:
    """The provider lets inline rules and rule resources undo each other."""
    group = resource(native_json, f"aws_security_group.{name}")
    assert not {"ingress", "egress"} & set(group)


def test_the_bucket_is_private_and_its_work_files_expire(native_json: dict[str, Any]) -> None:
    """The module's values: no public access, `nf-work/` gone after 14 days."""
    block = resource(native_json, "aws_s3_bucket_public_access_block.data_bucket")
    assert all(block[each] is True for each in block if each.startswith(("block_", "ignore_")))
    assert block["restrict_public_buckets"] is True
    (rule,) = resource(native_json, "aws_s3_bucket_lifecycle_configuration.data_bucket")["rule"]
    assert rule["filter"] == [{"prefix": "nf-work/"}]
    assert rule["expiration"] == [{"days": 14}]
    assert rule["status"] == "Enabled"


@pytest.mark.parametrize(
    "kind",
    ["aws_s3_bucket", "aws_s3_bucket_public_access_block", "aws_s3_bucket_lifecycle_configuration"],
)
def test_a_bucket_is_made_only_where_none_is_given(native_json: dict[str, Any], kind: str) -> None:
    """All three or none of them."""
    block = resource(native_json, f"{kind}.data_bucket")
    assert block["count"] == '${var.use_existing_bucket_url == "" ? 1 : 0}'


def test_a_destroy_keeps_a_full_bucket_unless_asked(native_json: dict[str, Any]) -> None:
    """`bucket_force_destroy` decides, and is off by default."""
    bucket = resource(native_json, "aws_s3_bucket.data_bucket")
    assert bucket["force_destroy"] == "${var.bucket_force_destroy}"
    assert native_json["variable"]["bucket_force_destroy"]["default"] is False


def test_the_repository_is_named_after_the_vm(native_json: dict[str, Any]) -> None:
    """Document: "Repository Name: Uses the vm_name variable"."""
    assert resource(native_json, "aws_ecr_repository.image_repository")["name"] == "${var.vm_name}"


def test_the_batch_environment(native_json: dict[str, Any]) -> None:
    """The module's values, and the service-linked role by naming none."""
    environment = resource(native_json, "aws_batch_compute_environment.batch")
    assert environment["compute_environment_name"] == "${var.vm_name}"
    assert environment["type"] == "MANAGED"
    assert "service_role" not in environment
    compute = environment["compute_resources"]
    assert compute["type"] == "SPOT"
    assert compute["allocation_strategy"] == "SPOT_CAPACITY_OPTIMIZED"
    assert compute["bid_percentage"] == 100
    assert (compute["min_vcpus"], compute["max_vcpus"]) == (0, 256)
    assert compute["instance_type"] == ["optimal"]
    assert compute["instance_role"].endswith(":instance-profile/ecsInstanceRole")
    assert compute["tags"] == {"${var.tag_key}": "${var.tag_value}"}
    assert environment["lifecycle"]["ignore_changes"] == ["compute_resources[0].desired_vcpus"]


def test_the_launch_template_is_taken_by_number(native_json: dict[str, Any]) -> None:
    """Batch freezes `$Latest`; a number shows in the plan when the template changes."""
    compute = resource(native_json, "aws_batch_compute_environment.batch")["compute_resources"]
    assert compute["launch_template"] == {
        "launch_template_id": "${aws_launch_template.batch.id}",
        "version": "${aws_launch_template.batch.latest_version}",
    }
    template = resource(native_json, "aws_launch_template.batch")
    assert template["block_device_mappings"] == [
        {"device_name": "/dev/xvda", "ebs": {"volume_size": 500, "volume_type": "gp2"}}
    ]


def test_a_forced_replacement_of_the_environment_can_end(native_json: dict[str, Any]) -> None:
    """Batch deletes no environment that a queue names: its successor comes first."""
    environment = resource(native_json, "aws_batch_compute_environment.batch")
    assert environment["lifecycle"]["create_before_destroy"] is True
    # The VM's policy names the queue in the hardened profile: the other way round is a cycle there.
    assert "depends_on" not in environment


def test_the_queue_names_its_environment_in_a_block(native_json: dict[str, Any]) -> None:
    """AWS provider 6 has dropped the plain list, and changing over later replaces the queue."""
    queue = resource(native_json, "aws_batch_job_queue.job_queue")
    assert queue["compute_environment_order"] == [
        {"compute_environment": "${aws_batch_compute_environment.batch.arn}", "order": 1}
    ]
    assert "compute_environments" not in queue
    assert (queue["name"], queue["state"], queue["priority"]) == (
        "${var.vm_name}-job-queue",
        "ENABLED",
        1,
    )


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
