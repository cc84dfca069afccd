"""The hardened stacks as data: what a reviewer would look for, and that all of it is explained."""

from __future__ import annotations

import email
import json
import re
from email import policy
from pathlib import Path
from typing import Any, Final

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from biomodal_deploy.config.contract import OUTPUTS, variables_of
from biomodal_deploy.config.settings import StackSettings
from biomodal_deploy.errors import UsageError
from biomodal_deploy.review.hardening import EXPLAINED
from tests.support.processes import run_program
from tests.support.project import ROOT, stack_json
from tests.support.snapshots import stable

SCRIPT: Final = ROOT / "scripts" / "install_script.sh"
KINDS: Final = {
    "documented": StackSettings(bootstrap="native"),
    "hardened": StackSettings(bootstrap="native", profile="hardened"),
    "module": StackSettings(profile="hardened"),
    "open": StackSettings(
        bootstrap="native", profile="hardened", open_ssh_waiver="a public training machine"
    ),
}


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All kinds, synthesized at once."""
    from stacks.synthesis import synthesize

    folder = tmp_path_factory.mktemp("hardened")
    synthesize(KINDS, install_script=SCRIPT, output=folder)
    return folder


@pytest.fixture(scope="module")
def hardened(output: Path) -> dict[str, Any]:
    """The native stack, hardened."""
    return stack_json(output, "hardened")


@pytest.fixture(scope="module")
def module(output: Path) -> dict[str, Any]:
    """The module stack, hardened."""
    return stack_json(output, "module")


def blocks(document: dict[str, Any]) -> dict[str, Any]:
    """Return resources and data sources by address, without cdktf's notes."""
    return {
        f"{prefix}{kind}.{name}": {key: value for key, value in block.items() if key != "//"}
        for section, prefix in (("resource", ""), ("data", "data."))
        for kind, named in document.get(section, {}).items()
        for name, block in named.items()
    }


def test_native_snapshot(hardened: dict[str, Any], snapshot: SnapshotAssertion) -> None:
    """The hardened native stack changes only on purpose."""
    data = hardened["resource"]["aws_launch_template"]["batch"]["user_data"]
    digest = data.split("assets/batch_host/")[1].split("/")[0]
    found = json.loads(json.dumps(stable(hardened)).replace(digest, "DIGEST"))
    assert found == snapshot(extension_class=JSONSnapshotExtension)


def test_module_snapshot(module: dict[str, Any], snapshot: SnapshotAssertion) -> None:
    """The hardened module call changes only on purpose."""
    assert stable(module) == snapshot(extension_class=JSONSnapshotExtension)


def test_every_difference_is_explained(output: Path, hardened: dict[str, Any]) -> None:
    """A resource that differs between the profiles stands in `explain`, and none else does."""
    before, after = blocks(stack_json(output, "documented")), blocks(hardened)
    differing = {
        address
        for address in before.keys() | after.keys()
        if before.get(address) != after.get(address)
    }
    explained = {address for each in EXPLAINED.differences for address in each.addresses}
    assert differing == explained


def test_the_documented_variables_are_enough(
    hardened: dict[str, Any], module: dict[str, Any]
) -> None:
    """What the profile adds has a default, and the documented variables are as they were."""
    for document, kind in ((hardened, "native"), (module, "module")):
        declared = document["variable"]
        for each in variables_of(kind):
            assert each.name in declared
        added = set(declared) - {each.name for each in variables_of(kind)}
        assert added
        assert all("default" in declared[name] for name in added)
        assert set(document["output"]) == set(OUTPUTS)


def test_every_resource_of_the_documented_profile_keeps_its_address(
    output: Path, hardened: dict[str, Any]
) -> None:
    """A stack that changes its profile loses nothing but rules that open something."""
    gone = blocks(stack_json(output, "documented")).keys() - blocks(hardened).keys()
    assert {address.split(".")[0] for address in gone} == {"aws_vpc_security_group_ingress_rule"}


def test_nobody_comes_in_unasked(hardened: dict[str, Any]) -> None:
    """The one inbound rule is made for each network given, and none is by default."""
    rules = hardened["resource"]["aws_vpc_security_group_ingress_rule"]
    assert set(rules) == {"ssh_from"}
    assert rules["ssh_from"]["for_each"] == "${toset(var.ssh_cidr_blocks)}"
    assert hardened["variable"]["ssh_cidr_blocks"]["default"] == []


def test_tokens_are_required_and_reach_containers(hardened: dict[str, Any]) -> None:
    """IMDSv2 with two hops, on the VM and on Batch hosts."""
    for address in ("aws_instance.vm", "aws_launch_template.batch"):
        options = blocks(hardened)[address]["metadata_options"]
        assert options["http_tokens"] == "required", address
        assert options["http_put_response_hop_limit"] == 2, address


@pytest.mark.parametrize(
    ("instance_type", "asked"),
    [("t3.large", True), ("m5.xlarge", True), ("c5a.large", True), ("t2.large", False)]
    + [(f"{old}.large", False) for old in ("m1", "m3", "c3", "r3")],
)
def test_old_types_go_without_ebs_optimization(
    hardened: dict[str, Any], instance_type: str, asked: bool
) -> None:
    """EC2 launches none of them when it is asked for, and `t2.large` is a documented value."""
    expression = blocks(hardened)["aws_instance.vm"]["ebs_optimized"]
    pattern = re.search(r'regex\("([^"]+)", var.instance_type\)\) \? null : true', expression)
    assert pattern
    assert (re.search(pattern[1], instance_type) is None) is asked


def test_the_elastic_ip_is_an_option(hardened: dict[str, Any]) -> None:
    """A closed VPC has no internet gateway, and EC2 attaches no address there."""
    assert hardened["resource"]["aws_eip"]["public_ip"]["count"] == "${var.elastic_ip ? 1 : 0}"
    assert hardened["variable"]["elastic_ip"]["default"] is True
    address = hardened["output"]["public_ip"]["value"]
    assert address == '${var.elastic_ip ? one(aws_eip.public_ip[*].public_ip) : ""}'


def test_a_tag_key_may_be_name(hardened: dict[str, Any]) -> None:
    """Hosts have the tag and a name; with both in one object Terraform refuses `Name` twice."""
    for each in blocks(hardened)["aws_launch_template.batch"]["tag_specifications"]:
        assert each["tags"].startswith("${merge({(var.tag_key) = var.tag_value}, {Name = ")


def test_no_instance_types_are_the_documented_ones(hardened: dict[str, Any]) -> None:
    """An empty list means `optimal`: Batch refuses it when half of the stack is made."""
    for name in ("batch", "batch_on_demand"):
        environment = blocks(hardened)[f"aws_batch_compute_environment.{name}"]
        types = environment["compute_resources"]["instance_type"]
        assert types.endswith('? var.batch_instance_types : ["optimal"]}')


def test_docker_is_for_its_group(hardened: dict[str, Any], module: dict[str, Any]) -> None:
    """The socket's mode in the script is replaced, and the script has that text once."""
    from stacks.install_script import SOCKET_MARK

    assert SCRIPT.read_text().count(SOCKET_MARK) == 1
    for data in (
        hardened["resource"]["aws_instance"]["vm"]["user_data_base64"],
        module["module"]["bootstrap"]["user_data_base64"],
    ):
        assert '"$${DOCKER_SOCKET_MODE:-666}", "$${DOCKER_SOCKET_MODE:-660}"' in data


def test_permissions_name_their_resources(hardened: dict[str, Any]) -> None:
    """Only describing actions, and the registry's token, are allowed on everything."""
    for name in ("vm_role", "batch_host_role"):
        for each in hardened["data"]["aws_iam_policy_document"][name]["statement"]:
            assert each["resources"]
            if "*" in each["resources"]:
                assert each["sid"] == "Look"
                verbs = {action.split(":")[1] for action in each["actions"]}
                assert all(verb.startswith(("Describe", "List", "GetAuth")) for verb in verbs)
            assert not [action for action in each["actions"] if "*" in action]


NEEDED: Final = {
    *("batch:CancelJob", "batch:TagResource", "ec2:DescribeInstanceStatus", "s3:PutObjectTagging"),
    *("ecr:DescribeImageScanFindings", "logs:GetLogEvents", "s3:AbortMultipartUpload"),
}


def test_what_the_document_forgot_is_there(hardened: dict[str, Any]) -> None:
    """Nextflow needs it, and the documented policy does not have it."""
    statements = hardened["data"]["aws_iam_policy_document"]["vm_role"]["statement"]
    assert {action for each in statements for action in each["actions"]} >= NEEDED


def test_environments_survive_their_replacement(hardened: dict[str, Any]) -> None:
    """Prefix, create before destroy, template by number, and the role outlives them."""
    environments = hardened["resource"]["aws_batch_compute_environment"]
    assert {each["compute_resources"]["type"] for each in environments.values()} == {"SPOT", "EC2"}
    for each in environments.values():
        assert "compute_environment_name" not in each
        assert each["compute_environment_name_prefix"].endswith("-")
        assert each["lifecycle"]["create_before_destroy"] is True
        version = each["compute_resources"]["launch_template"]["version"]
        assert version == "${aws_launch_template.batch.latest_version}"
        assert each["compute_resources"]["ec2_configuration"] == [{"image_type": "ECS_AL2023"}]
        assert "aws_iam_role_policy.batch_host_role" in each["depends_on"]
        assert "service_role" not in each


def test_batch_user_data_is_multipart(output: Path, hardened: dict[str, Any]) -> None:
    """Read as a mail reader would: one shell script, byte for byte the one in version control."""
    from stacks.batch_user_data import HEAD, TAIL

    (script,) = (output / "stacks" / "hardened" / "assets" / "batch_host").rglob("*.sh")
    assert script.read_bytes() == (ROOT / "scripts" / "batch_host.sh").read_bytes()
    message = email.message_from_string(HEAD + script.read_text() + TAIL, policy=policy.default)
    assert message.is_multipart()
    (part,) = message.iter_parts()
    assert part.get_content_type() == "text/x-shellscript"
    assert part.get_content().strip() == script.read_text().strip()
    data = hardened["resource"]["aws_launch_template"]["batch"]["user_data"]
    assert data.startswith('${base64encode(join("", ["MIME-Version: 1.0\\n')


@pytest.mark.parametrize("content", [None, b"\xff", b"#" * 16_384])
def test_a_wrong_host_script_is_refused(tmp_path: Path, content: bytes | None) -> None:
    """Missing, not ASCII, too long: one line, and nothing is written."""
    from stacks.synthesis import synthesize

    script = tmp_path / "install_script.sh"
    script.write_bytes(SCRIPT.read_bytes())
    if content is not None:
        (tmp_path / "batch_host.sh").write_bytes(content)
    with pytest.raises(UsageError, match=r"scripts/batch_host.sh.* Fix: "):
        synthesize({"x": KINDS["hardened"]}, install_script=script, output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_only_a_waiver_opens_ssh_to_everyone(output: Path) -> None:
    """The rule is in the Terraform JSON, and goes with a reason in the settings."""

    def messages(name: str) -> str:
        declared = stack_json(output, name)["variable"]["ssh_cidr_blocks"]
        return " ".join(each["error_message"] for each in declared["validation"])

    assert "not opened to everyone" in messages("hardened")
    assert "not opened to everyone" in messages("module")
    assert "not opened to everyone" not in messages("open")


def test_the_module_gets_its_own_inputs_only(module: dict[str, Any]) -> None:
    """Terraform refuses a call with an argument that the module does not have."""
    interface = json.loads((ROOT / "tests" / "data" / "bootstrap_module.json").read_text())
    call = module["module"]["bootstrap"]
    assert set(call) - {"//", "source"} <= set(interface["inputs"])
    assert call["metadata_http_tokens_required"] is True
    assert call["metadata_http_put_response_hop_limit"] == 2
    assert "22" in call["security_group_rules"]


@pytest.mark.slow
def test_documented_stacks_load_no_binding_of_the_profile() -> None:
    """Synthesis of the documented profile stays as fast as it was."""
    import sys

    program = (
        "import sys, stacks.native_stack, stacks.module_stack, stacks.synthesis\n"
        "print([n for n in sys.modules if 'budgets' in n or n == 'biomodal_aws.hardened'])"
    )
    done = run_program([sys.executable, "-c", program], cwd=ROOT, check=True)
    assert done.stdout == "[]\n"
