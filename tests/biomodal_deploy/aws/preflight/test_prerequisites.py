"""The commands that make an account's roles."""

from __future__ import annotations

import json

import pytest

from biomodal_deploy.aws.preflight.prerequisites import VARIABLES, all_steps, steps
from biomodal_deploy.aws.preflight.runner import run_role_checks
from biomodal_deploy.config.contract import variables_of
from tests.support.aws_command import script_commands
from tests.support.recorded_aws import REGION, RecordedAws, Refusal, no_such, profile


def test_an_account_that_has_all(aws: RecordedAws) -> None:
    """Nothing is to be made."""
    assert steps(run_role_checks(aws.session(), REGION), "aws") == ()


def test_an_account_that_has_none(aws: RecordedAws) -> None:
    """All of it is, in the document's order and words."""
    aws.answers["iam.GetRole"] = no_such("NoSuchEntity")
    aws.answers["iam.GetInstanceProfile"] = no_such("NoSuchEntity")
    found = steps(run_role_checks(aws.session(), REGION), "aws")
    assert found == all_steps("aws")
    assert [each.variable for each in found] == list(VARIABLES.values())


def test_what_only_lacks_something_is_mended(aws: RecordedAws) -> None:
    """A role that is there cannot be made again, neither by command nor by Terraform."""
    aws.answers["iam.GetInstanceProfile"] = profile("ecsInstanceRole")
    (found,) = steps(run_role_checks(aws.session(), REGION), "aws")
    assert found.variable is None
    assert [each.operation for each in script_commands(found.command)] == [
        "AddRoleToInstanceProfile"
    ]
    assert "aws iam add-role-to-instance-profile" in found.command


def test_what_is_not_known_is_not_made(aws: RecordedAws) -> None:
    """Where IAM does not say, nothing is suggested."""
    aws.answers["iam.GetRole"] = Refusal("AccessDenied", status=403)
    assert steps(run_role_checks(aws.session(), REGION), "aws") == ()


def test_the_commands_are_the_documents() -> None:
    """Section "Pre-existing AWS Service Roles", word for word, as a shell reads them."""
    found = script_commands(all_steps("aws")[2].command)
    trust = json.loads(found[0].parameters.pop("AssumeRolePolicyDocument"))
    assert trust == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ec2.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    role, profile = {"RoleName": "ecsInstanceRole"}, {"InstanceProfileName": "ecsInstanceRole"}
    policy = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
    assert [(each.operation, each.parameters) for each in found] == [
        ("CreateRole", role),
        ("AttachRolePolicy", {**role, "PolicyArn": policy}),
        ("CreateInstanceProfile", profile),
        ("AddRoleToInstanceProfile", {**role, **profile}),
    ]


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_partitions(partition: str) -> None:
    """Managed policies are named by partition."""
    text = "".join(each.command for each in all_steps(partition))
    assert f"arn:{partition}:iam::aws:policy" in text
    assert "PARTITION" not in text


def test_each_step_has_its_variable() -> None:
    """The stack of the same name makes exactly these."""
    offered = {each.name for each in variables_of("prerequisites") if each.type == "bool"}
    assert offered == set(VARIABLES.values())
