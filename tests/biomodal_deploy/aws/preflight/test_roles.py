"""The roles that AWS and the hosts have to have."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace

import pytest

from biomodal_deploy.aws.checks import Verdict
from biomodal_deploy.aws.preflight import run_role_checks
from biomodal_deploy.aws.preflight.roles import VARIABLES, all_steps, steps
from biomodal_deploy.aws.preflight.target import Target
from biomodal_deploy.config.contract import variables_of
from tests.support.aws_command import commands_in, script_commands
from tests.support.preflight_cases import Wrong, answer, cases
from tests.support.recorded_aws import (
    ACCOUNT,
    NAME,
    REGION,
    RecordedAws,
    Refusal,
    no_such,
    profile,
    role,
    verdicts,
)

FAIL, WARNING, UNKNOWN = Verdict.FAIL, Verdict.WARNING, Verdict.UNKNOWN
GONE = no_such("NoSuchEntity")
TRUST = {
    "AssumeRolePolicyDocument": '{"Statement":[{"Principal":{"Service":"ecs.amazonaws.com"}}]}'
}
OTHERS = profile("ecsInstanceRole", {**role("ecsInstanceRole"), **TRUST})
LINKED = "aws iam create-service-linked-role --aws-service-name"
ATTACH = (
    "aws iam attach-role-policy --role-name ecsInstanceRole --policy-arn "
    "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
)
ADD = "aws iam add-role-to-instance-profile --instance-profile-name ecsInstanceRole"
TRUST_EC2 = "aws iam update-assume-role-policy --role-name ecsInstanceRole --policy-document '{"
MISSING = "the instance profile ecsInstanceRole does not exist"
SPOT, BY_SPOT = "spot.amazonaws.com", "AWSServiceRoleForEC2Spot does not exist"
BY_BATCH = "AWSServiceRoleForBatch does not exist: AWS makes it on apply, if the caller may"


@pytest.mark.parametrize(
    "wrong",
    [
        *cases(
            "batch-service-role",
            "iam.GetRole",
            (GONE, WARNING, BY_BATCH, f"{LINKED} batch.amazonaws.com"),
        ),
        *cases("spot-service-role", "iam.GetRole", (GONE, WARNING, BY_SPOT, f"{LINKED} {SPOT}")),
        *cases(
            "ecs-instance-role",
            "iam.GetInstanceProfile",
            (GONE, FAIL, MISSING, "biomodal-aws doctor --commands"),
            (profile("ecsInstanceRole"), FAIL, "holds no role", ADD),
            (OTHERS, FAIL, "EC2 may not assume ecsInstanceRole", TRUST_EC2),
        ),
        Wrong(
            "ecs-instance-role",
            "iam.ListAttachedRolePolicies",
            {"AttachedPolicies": []},
            FAIL,
            "ecsInstanceRole lacks AmazonEC2ContainerServiceforEC2Role",
            ATTACH,
        ),
        Wrong(
            "tasks-bucket",
            "iam.SimulatePrincipalPolicy",
            verdicts(s3_GetObject="implicitDeny", s3_ListBucket="implicitDeny"),
            WARNING,
            "ecsInstanceRole lacks s3:GetObject, s3:ListBucket: Batch tasks get 403",
            (
                f"aws iam put-role-policy --role-name ecsInstanceRole --policy-name {NAME}-bucket "
                '--policy-document \'{"Version"'
            ),
        ),
        *cases(
            "tasks-bucket",
            "iam.GetInstanceProfile",
            (GONE, UNKNOWN, "there is no role in ecsInstanceRole", ""),
        ),
    ],
    ids=str,
)
def test_one_thing_wrong(aws: RecordedAws, target: Target, wrong: Wrong) -> None:
    """What is wrong with a role is found, named, and comes with what fixes it."""
    wrong.assert_found(aws, target)


def test_batch_does_not_make_a_role_that_is_named(aws: RecordedAws, target: Target) -> None:
    """The module names Batch's role by ARN, so without it no environment is made."""
    target = replace(target, bootstrap="module")
    aws.answers["iam.GetRole"] = no_such("NoSuchEntity")
    assert answer(aws, target, "batch-service-role").verdict is FAIL


def test_tasks_are_let_into_any_completion_of_the_name(aws: RecordedAws, target: Target) -> None:
    """For the module, the suggested policy covers what the provider adds to the name."""
    target = replace(target, bootstrap="module")
    aws.answers["iam.SimulatePrincipalPolicy"] = verdicts(s3_PutObject="implicitDeny")
    assert f"arn:aws:s3:::{NAME}{'?' * 26}/*" in (answer(aws, target, "tasks-bucket").fix or "")


def test_tasks_need_the_bucket_s_key_too(aws: RecordedAws, target: Target) -> None:
    """Where the existing bucket has a key, the hosts' role has to use it through S3."""
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
    target = replace(target, use_existing_bucket_url="s3://lab-data", bucket_key=key)
    aws.answers["iam.SimulatePrincipalPolicy"] = verdicts(kms_Decrypt="implicitDeny")
    found = answer(aws, target, "tasks-bucket")
    assert "lacks kms:Decrypt:" in found.line
    (command,) = commands_in(found.fix)
    document = json.loads(shlex.split(found.fix or "")[-1])
    assert document["Statement"][-1] == {
        "Effect": "Allow",
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": key,
        "Condition": {"StringEquals": {"kms:ViaService": [f"s3.{REGION}.amazonaws.com"]}},
    }, command


def test_an_existing_buckets_own_policy_may_let_tasks_in(aws: RecordedAws, target: Target) -> None:
    """IAM's simulator does not see an existing bucket's policy, and the line says so."""
    target = replace(target, use_existing_bucket_url="s3://lab-data/")
    aws.answers["iam.SimulatePrincipalPolicy"] = verdicts(s3_PutObject="implicitDeny")
    found = answer(aws, target, "tasks-bucket")
    assert "unless the bucket's own policy allows it" in found.line
    assert "arn:aws:s3:::lab-data/*" in (found.fix or "")


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
    (command,) = script_commands(found.command)
    assert command.operation == "AddRoleToInstanceProfile"
    assert "aws iam add-role-to-instance-profile" in found.command


def test_what_is_not_known_is_not_made(aws: RecordedAws) -> None:
    """Where IAM does not say, nothing is suggested."""
    aws.answers["iam.GetRole"] = Refusal("AccessDenied", status=403)
    assert steps(run_role_checks(aws.session(), REGION), "aws") == ()


def test_the_commands_are_the_documents() -> None:
    """Section "Pre-existing AWS Service Roles", word for word, as a shell reads them."""
    found = script_commands(all_steps("aws")[2].command)
    trust = json.loads(found[0].parameters.pop("AssumeRolePolicyDocument"))
    ec2 = {"Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    assert trust == {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **ec2}]}
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
