"""Tests for biomodal_deploy.config.contract.grammar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from biomodal_deploy.aws import resources
from biomodal_deploy.config.contract import OUTPUTS
from biomodal_deploy.config.contract.grammar import OUTPUT_GRAMMAR, broken_output
from biomodal_deploy.errors import BiomodalError
from biomodal_deploy.vm.access import host_block, session_target, ssh_target
from tests.support.operated import NAME, arn, deployed, documented, environment, outputs, queue, vm

COMMAND = "ProxyCommand touch /tmp/pwned"
# What each format that values go into could take for something of its own.
HOSTILE = (f"x\n    {COMMAND}", "x\r", "x\x1b[2J", "* !a", "-oProxyCommand=id", "$(id)", "x\u202ey")


def test_every_documented_output_has_a_grammar() -> None:
    """One that is added later is not passed on unchecked."""
    assert OUTPUT_GRAMMAR.keys() == OUTPUTS.keys()


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("name", sorted(OUTPUTS.keys() - {"private_key_filename"}))
def test_hostile_outputs(name: str, value: str) -> None:
    """Refused where the state is read, with the field and the value, on one line."""
    with pytest.raises(BiomodalError, match=name) as caught:
        deployed(given=outputs(**{name: value}))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("value", ["a\nb", "a\x1b[2J", "a\x00"])
def test_a_hostile_path(value: str) -> None:
    """A path may hold most letters, but none that steers what it is written to."""
    with pytest.raises(BiomodalError, match="private_key_filename"):
        deployed(given=outputs(private_key_filename=value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bucket_url", "s3://lab-data/"),
        ("docker_repo_url", "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/lab"),
        ("docker_repo_url", "localhost:5000"),
        ("public_ip", "2001:db8::7"),
        ("private_key_filename", "~/keys of Ada/lab é.pem"),
        ("private_key_filename", ""),
        ("vm_name", "Lab_1.x"),
    ],
)
def test_unusual_outputs_pass(name: str, value: str) -> None:
    """What AWS and the module may write."""
    assert broken_output(name, value) is None


def _with(kind: str, **changes: object) -> dict[str, list[dict[str, Any]]]:
    found = documented()
    found[kind][0] = {**found[kind][0], **changes}
    return found


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("aws_instance", "id", f"i-0a1b2c3d4e5f60718\n    {COMMAND}"),
        ("aws_instance", "id", "i-0a1b2c3d4e5f60718\n"),
        ("aws_instance", "id", "--help"),
        ("aws_instance", "arn", f"arn:aws:ec2:eu-west-2\n{COMMAND}:123456789012:instance/i-1"),
        ("aws_instance", "arn", "arn:aws:ec2:$(id):123456789012:instance/i-0a1b2c3d"),
        ("aws_instance", "instance_type", "t3.large\n# x"),
        ("aws_instance", "public_ip", "1.2.3.4\n"),
        ("aws_batch_job_queue", "name", "queue' + id + '"),
        ("aws_batch_job_queue", "arn", "arn:aws:batch:eu-west-2:123456789012:job-queue/\x1b]0;x"),
        ("aws_ecr_repository", "name", "lab\nx"),
        ("aws_iam_role", "arn", "role"),
        ("aws_launch_template", "name", "a b"),
    ],
)
def test_hostile_resources(kind: str, field: str, value: str) -> None:
    """Each field in its own grammar: the type and the field are named, and nothing is passed on."""
    with pytest.raises(BiomodalError, match=f"{kind}.*{field}") as caught:
        deployed(_with(kind, **{field: value}))
    assert str(caught.value).isprintable()


def test_other_partitions_and_both_providers_pass() -> None:
    """China and GovCloud, and names as provider 6 calls them."""
    name = "arn:aws-us-gov:ec2:us-gov-west-1:123456789012:instance/i-0a1b2c3d4e5f60718"
    assert deployed(_with("aws_instance", arn=name)).region == "us-gov-west-1"
    changed = {**environment(), "name": NAME}
    changed.pop("compute_environment_name")
    found = resources.ComputeEnvironment.model_validate(changed)
    assert found.name == NAME
    assert resources.JobQueue.model_validate(queue("q", "")).environment_arns == {
        arn("batch", f"compute-environment/{NAME}")
    }
    assert resources.Vm.model_validate(vm(public_ip="")).public_ip == ""


def test_ssh_itself_sees_no_command_of_the_state(tmp_path: Path) -> None:
    """What is left after the boundary names one host, and runs nothing but Session Manager."""
    found = deployed()
    way = ssh_target(found, tmp_path, {"HOME": str(tmp_path)})
    block = host_block(way, through=session_target(found))
    assert [line.split()[0] for line in block.splitlines()].count("ProxyCommand") == 1
    assert block.startswith(f"Host {NAME}\n")
