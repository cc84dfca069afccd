"""The construct library, used as others use it: in a stack of their own."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from cdktf import App, TerraformOutput, TerraformStack
from cdktf import Testing as CdktfTesting
from constructs import Construct

import biomodal_aws
from biomodal_aws import (
    BatchEnvironment,
    BatchJobQueue,
    BatchSecurityGroup,
    DataBucket,
    ElasticIp,
    ImageRepository,
    KeyPair,
    OrchestratorVm,
    Part,
    SshSecurityGroup,
    VmRole,
)
from tests.support.constructs import assert_one_signature, synthesized

VM: Final[dict[str, Any]] = {
    "name": "vm",
    "ami": "ami-12345678",
    "instance_type": "t3.large",
    "subnet_id": "subnet-12345678",
    "security_group_ids": ["sg-12345678"],
}


@pytest.fixture(autouse=True)
def _apps_write_into(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app makes its output folder when it is built, here in a temporary place."""
    monkeypatch.chdir(tmp_path)


PUBLIC: Final = [getattr(biomodal_aws, name) for name in biomodal_aws.__all__]


@pytest.mark.parametrize("construct", PUBLIC, ids=lambda each: each.__name__)
def test_every_construct_has_one_signature(construct: type[Construct]) -> None:
    """`scope, id_` first and keywords after them, and a docstring for each argument."""
    assert_one_signature(construct)


@pytest.mark.parametrize(("id_", "name"), [("vm", "vm"), ("my-vm", "my_vm")])
def test_an_id_becomes_the_address(id_: str, name: str) -> None:
    """`OrchestratorVm(self, "vm")` is `aws_instance.vm`, without a hash, in Terraform's style."""
    found = synthesized(lambda stack: OrchestratorVm(stack, id_, **VM))
    assert list(found["aws_instance"]) == [name]


def test_nested_constructs_carry_the_names_above_them() -> None:
    """Two of a kind in one stack never collide, in parts of parts and in plain constructs."""

    class Site(Part):
        def __init__(self, scope: Construct, id_: str) -> None:
            super().__init__(scope, id_)
            ImageRepository(self, "images", name="x")

    def build(stack: TerraformStack) -> None:
        Site(stack, "north")
        Site(stack, "south")
        ImageRepository(Construct(stack, "plain-one"), "images", name="x")

    assert set(synthesized(build)["aws_ecr_repository"]) == {
        "north_images",
        "south_images",
        "plain_one_images",
    }


def test_two_in_one_place_are_refused() -> None:
    """The second construct of one id is an error here, not a resource that silently wins."""
    with pytest.raises(RuntimeError, match="already"):
        synthesized(lambda stack: [ImageRepository(stack, "images", name=each) for each in "xy"])


def test_a_vm_of_defaults() -> None:
    """The document's values: 100 GB encrypted, monitored, IMDSv1 still answered; no key needed."""
    vm = synthesized(lambda stack: OrchestratorVm(stack, "vm", **VM))["aws_instance"]["vm"]
    assert vm["root_block_device"] == {"encrypted": True, "volume_size": 100}
    assert vm["metadata_options"]["http_tokens"] == "optional"
    assert vm["monitoring"] is True
    assert not {"key_name", "iam_instance_profile", "user_data_base64"} & set(vm)


def test_a_vm_with_everything() -> None:
    """Each argument reaches the resource."""
    given: dict[str, Any] = {"key_name": "key", "user_data_base64": "IyEvYmluL3No"}
    more: dict[str, Any] = {"root_volume_gib": 200, "require_imdsv2": True}
    found = synthesized(
        lambda stack: OrchestratorVm(stack, "vm", **VM, **given, **more, instance_profile="profile")
    )
    vm = found["aws_instance"]["vm"]
    assert vm["metadata_options"]["http_tokens"] == "required"
    assert vm["root_block_device"]["volume_size"] == 200
    assert {**given, "iam_instance_profile": "profile"}.items() <= vm.items()


def test_a_bucket_always() -> None:
    """Without a condition there is no `count`; labs keep work files as long as they need them."""
    found = synthesized(lambda stack: DataBucket(stack, "data", name="b", work_expiry_days=90))
    assert "count" not in found["aws_s3_bucket"]["data"]
    assert found["aws_s3_bucket"]["data"]["force_destroy"] is False
    for kind in ("aws_s3_bucket_public_access_block", "aws_s3_bucket_lifecycle_configuration"):
        assert found[kind]["data"]["bucket"] == "${aws_s3_bucket.data.id}"
    (rule,) = found["aws_s3_bucket_lifecycle_configuration"]["data"]["rule"]
    assert rule["expiration"] == [{"days": 90}]


def test_a_bucket_on_a_condition() -> None:
    """With one, all of it is made or none of it."""
    found = synthesized(lambda stack: DataBucket(stack, "data", name="b", create="var.make"))
    for kind, named in found.items():
        assert named["data"]["count"] == "${var.make ? 1 : 0}", kind
    block = found["aws_s3_bucket_public_access_block"]["data"]
    assert block["bucket"] == "${aws_s3_bucket.data[0].id}"


def test_ssh_from_chosen_networks_only() -> None:
    """One rule for each network; without any, nobody gets in."""
    networks = {"office": "192.0.2.0/24", "vpn": "198.51.100.7/32"}

    def build(stack: TerraformStack) -> None:
        SshSecurityGroup(stack, "ssh", name="x", vpc_id="vpc-1", ssh_cidr_blocks=networks)
        SshSecurityGroup(stack, "closed", name="y", vpc_id="vpc-1", ssh_cidr_blocks={})

    rules = synthesized(build)["aws_vpc_security_group_ingress_rule"]
    assert {name: rule["cidr_ipv4"] for name, rule in rules.items()} == {
        "ssh_from_office": "192.0.2.0/24",
        "ssh_from_vpn": "198.51.100.7/32",
    }
    assert all((rule["from_port"], rule["to_port"]) == (22, 22) for rule in rules.values())


def test_ssh_from_an_ipv6_network() -> None:
    """It is written where Terraform takes it; what a variable holds is IPv4, as documented."""
    networks = {"office": "2001:db8::/32", "any": '${lookup(var.a, "x:y")}'}
    given: dict[str, Any] = {"name": "x", "vpc_id": "vpc-1", "ssh_cidr_blocks": networks}
    found = synthesized(lambda stack: SshSecurityGroup(stack, "ssh", **given))
    rules = found["aws_vpc_security_group_ingress_rule"]
    assert rules["ssh_from_office"]["cidr_ipv6"] == "2001:db8::/32"
    assert "cidr_ipv4" not in rules["ssh_from_office"]
    assert "cidr_ipv6" not in rules["ssh_from_any"]


@pytest.mark.parametrize("given", [None, "sg-1", 3])
def test_one_in_place_of_several_is_refused_by_name(given: Any) -> None:
    """In one line; no group at all would be the VPC's default one."""
    batch: dict[str, Any] = {"name": "b", "instance_profile_arn": "p"}
    group: dict[str, Any] = {"name": "x", "vpc_id": "vpc-1"}
    hosts: dict[str, Any] = {"name_prefix": "x", "vpc_id": "vpc-1"}
    wrong: list[tuple[Any, str, dict[str, Any]]] = [
        (OrchestratorVm, "security_group_ids", VM),
        (BatchEnvironment, "security_group_ids", {**batch, "subnet_ids": ["subnet-1"]}),
        (BatchEnvironment, "subnet_ids", {**batch, "security_group_ids": ["sg-1"]}),
        (SshSecurityGroup, "ssh_cidr_blocks", group),
        (BatchSecurityGroup, "ingress_cidr_blocks", hosts),
    ]
    stack = TerraformStack(App(), "lab")
    for construct, field, known in wrong:
        with pytest.raises(TypeError, match=field) as refused:
            construct(stack, f"{construct.__name__}-{field}", **{**known, field: given})
        assert "\n" not in str(refused.value)


def test_batch_hosts_listen_to_the_given_sources() -> None:
    """Every port, but only from these; a group in use is replaced before it is removed."""
    blocks = {"subnet": "192.0.2.0/24"}
    group: dict[str, Any] = {"name_prefix": "x-", "vpc_id": "vpc-1", "ingress_cidr_blocks": blocks}
    found = synthesized(lambda stack: BatchSecurityGroup(stack, "hosts", **group))
    (rule,) = found["aws_vpc_security_group_ingress_rule"].values()
    assert (rule["ip_protocol"], rule["cidr_ipv4"]) == ("-1", "192.0.2.0/24")
    assert found["aws_security_group"]["hosts"]["lifecycle"] == {"create_before_destroy": True}


def queue(arns: Any) -> Any:
    """Return a queue of these environments."""
    given: dict[str, Any] = {"name": "q", "compute_environment_arns": arns, "priority": 7}
    found = synthesized(lambda stack: BatchJobQueue(stack, "queue", **given))
    return found["aws_batch_job_queue"]["queue"]


def test_a_queue_tries_its_environments_in_order() -> None:
    """That of the list; one ARN is refused, whose letters would name `a`, `r` and `n`."""
    made = queue(["a", "b"])
    assert made["compute_environment_order"] == [
        {"compute_environment": "a", "order": 1},
        {"compute_environment": "b", "order": 2},
    ]
    assert made["priority"] == 7
    with pytest.raises(TypeError, match=r"compute_environment_arns = 'arn': .* Fix: "):
        queue("arn")


def test_a_batch_environment_with_other_sizes() -> None:
    """The two numbers that people change: the most vCPUs and the hosts' disk."""
    given: dict[str, Any] = {
        "name": "x",
        "subnet_ids": ["subnet-1", "subnet-2"],
        "security_group_ids": ["sg-1"],
        "instance_profile_arn": "arn",
    }
    found = synthesized(
        lambda stack: BatchEnvironment(stack, "batch", **given, max_vcpus=16, volume_gib=50)
    )
    compute = found["aws_batch_compute_environment"]["batch"]["compute_resources"]
    assert (compute["max_vcpus"], compute["subnets"]) == (16, ["subnet-1", "subnet-2"])
    (device,) = found["aws_launch_template"]["batch"]["block_device_mappings"]
    assert device["ebs"]["volume_size"] == 50
    assert "depends_on" not in found["aws_batch_compute_environment"]["batch"]


def test_results_are_references() -> None:
    """What one construct offers is what the next one takes."""

    def build(stack: TerraformStack) -> None:
        role = VmRole(stack, "role", name="x", bucket_arn="arn:aws:s3:::b")
        key = KeyPair(stack, "key", name="x", public_key="ssh-ed25519 AAAA")
        ssh = SshSecurityGroup(stack, "ssh", name="x", vpc_id="v", ssh_cidr_blocks={})
        vm = OrchestratorVm(
            stack,
            "vm",
            **{**VM, "security_group_ids": [ssh.id]},
            key_name=key.name,
            instance_profile=role.instance_profile_name,
        )
        ElasticIp(stack, "ip", name="x", instance_id=vm.id)

    found = synthesized(build)
    vm = found["aws_instance"]["vm"]
    assert vm["vpc_security_group_ids"] == ["${aws_security_group.ssh.id}"]
    assert vm["key_name"] == "${aws_key_pair.key.key_name}"
    assert vm["iam_instance_profile"] == "${aws_iam_instance_profile.role.name}"
    assert found["aws_eip"]["ip"]["instance"] == "${aws_instance.vm.id}"


def test_the_registry_is_a_host_name() -> None:
    """`docker login` takes the host, not the repository's URL."""
    stack = TerraformStack(App(stack_traces=False), "stack")
    repository = ImageRepository(stack, "images", name="x", tags={"a": "b"})
    TerraformOutput(stack, "host", value=repository.registry_host)
    document = json.loads(CdktfTesting.synth(stack))
    expression = '${split("/", aws_ecr_repository.images.repository_url)[0]}'
    assert document["output"]["host"]["value"] == expression
    assert document["resource"]["aws_ecr_repository"]["images"]["tags"] == {"a": "b"}


def test_the_package_states_what_is_public() -> None:
    """`from biomodal_aws import *` gives the constructs, sorted, and nothing that they use."""
    assert sorted(biomodal_aws.__all__) == biomodal_aws.__all__
    assert all(issubclass(each, Part) for each in PUBLIC)
