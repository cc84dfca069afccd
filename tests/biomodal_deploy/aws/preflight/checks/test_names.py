"""The names that the stack will take."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from biomodal_deploy.aws.checks import Verdict
from biomodal_deploy.aws.preflight.target import Target
from tests.support.preflight_cases import Wrong, answer
from tests.support.recorded_aws import NAME, REGION, Recorded, RecordedAws, profile, role

FAIL = Verdict.FAIL


@pytest.mark.parametrize(
    "wrong",
    [
        Wrong(
            "key-pair",
            "ec2.DescribeKeyPairs",
            {"KeyPairs": [{"KeyName": NAME}]},
            FAIL,
            f"key pair {NAME} exists and is not this stack's",
            f"aws ec2 delete-key-pair --region {REGION} --key-name {NAME}",
        ),
        Wrong(
            "repository",
            "ecr.DescribeRepositories",
            {"repositories": [{"repositoryName": NAME}]},
            FAIL,
            f"ECR repository {NAME} exists",
            f"aws ecr delete-repository --region {REGION} --repository-name {NAME}",
        ),
        Wrong(
            "role",
            "iam.GetRole",
            {"Role": role(NAME)},
            FAIL,
            f"IAM role {NAME} exists",
            f"aws iam delete-role --role-name {NAME}",
        ),
        Wrong(
            "instance-profile",
            "iam.GetInstanceProfile",
            profile(NAME),
            FAIL,
            f"instance profile {NAME} exists",
            f"aws iam delete-instance-profile --instance-profile-name {NAME}",
        ),
        Wrong(
            "security-group",
            "ec2.DescribeSecurityGroups",
            {"SecurityGroups": [{"GroupName": f"{NAME}-sg", "GroupId": "sg-1"}]},
            FAIL,
            f"security group {NAME}-sg exists",
            "another vm_name",
        ),
        Wrong(
            "launch-template",
            "ec2.DescribeLaunchTemplates",
            {"LaunchTemplates": [{"LaunchTemplateName": f"{NAME}-batch-launch-template"}]},
            FAIL,
            f"launch template {NAME}-batch-launch-template exists",
            "aws ec2 delete-launch-template",
        ),
        Wrong(
            "compute-environment",
            "batch.DescribeComputeEnvironments",
            {
                "computeEnvironments": [
                    {
                        "computeEnvironmentName": NAME,
                        "computeEnvironmentArn": "arn",
                        "status": "DELETING",
                    }
                ]
            },
            FAIL,
            f"Batch compute environment {NAME} exists and is not this stack's, status DELETING",
            "aws batch delete-compute-environment",
        ),
        Wrong(
            "job-queue",
            "batch.DescribeJobQueues",
            {
                "jobQueues": [
                    {
                        "jobQueueName": f"{NAME}-job-queue",
                        "jobQueueArn": "arn",
                        "state": "ENABLED",
                        "priority": 1,
                        "computeEnvironmentOrder": [],
                    }
                ]
            },
            FAIL,
            f"Batch job queue {NAME}-job-queue exists",
            "aws batch delete-job-queue",
        ),
    ],
    ids=str,
)
def test_one_thing_wrong(aws: RecordedAws, target: Target, wrong: Wrong) -> None:
    """A name that is taken is found, and comes with what frees it."""
    wrong.assert_found(aws, target)


def test_a_name_of_what_is_deleted_is_free(aws: RecordedAws, target: Target) -> None:
    """Batch goes on describing an environment for a while after its end."""
    gone = {"computeEnvironmentName": NAME, "computeEnvironmentArn": "arn", "status": "DELETED"}
    aws.answers["batch.DescribeComputeEnvironments"] = {"computeEnvironments": [gone]}
    found = answer(aws, target, "compute-environment")
    assert found.verdict is Verdict.PASS
    assert "is free" in found.line


@pytest.mark.parametrize(
    ("check", "owned", "operation", "recorded"),
    [
        ("key-pair", f"aws_key_pair:{NAME}", "ec2.DescribeKeyPairs", {"KeyPairs": [{}]}),
        ("role", f"aws_iam_role:{NAME}", "iam.GetRole", {"Role": role(NAME)}),
    ],
)
def test_what_the_stack_has_is_not_taken(
    aws: RecordedAws, target: Target, check: str, owned: str, operation: str, recorded: Recorded
) -> None:
    """After an apply, its own names are no failures; without the state they are."""
    aws.answers[operation] = recorded
    assert answer(aws, target, check, owned).verdict is Verdict.PASS
    assert answer(aws, target, check).verdict is FAIL


@pytest.mark.parametrize(
    ("check", "operation", "recorded"),
    [
        ("key-pair", "ec2.DescribeKeyPairs", {"KeyPairs": [{"KeyName": NAME}]}),
        ("role", "iam.GetRole", {"Role": role(NAME)}),
        ("bucket", "s3.HeadBucket", {}),
    ],
)
def test_without_the_state_nobody_is_told_to_delete(
    aws: RecordedAws, target: Target, check: str, operation: str, recorded: Recorded
) -> None:
    """What exists may be the stack's own: unknown, and the advice is what finds it out."""
    aws.answers[operation] = recorded
    found = answer(aws, target, check, state_is_known=False)
    assert found.verdict is Verdict.UNKNOWN
    assert "its state was not read" in found.line
    assert found.fix is not None
    assert found.fix.startswith("biomodal-aws plan")
    assert "delete" not in found.fix


@pytest.mark.parametrize(
    ("check", "operation", "recorded"),
    [
        ("key-pair", "ec2.DescribeKeyPairs", {"KeyPairs": [{}]}),
        ("repository", "ecr.DescribeRepositories", {"repositories": [{}]}),
        ("role", "iam.GetRole", {"Role": role(NAME)}),
        ("instance-profile", "iam.GetInstanceProfile", profile(NAME)),
    ],
)
def test_a_name_is_one_word_of_its_command(
    aws: RecordedAws, target: Target, check: str, operation: str, recorded: Recorded
) -> None:
    """Pasted into a shell, a name from the settings runs nothing of its own."""
    name = "lab; touch `id` $(id) 'x"
    aws.answers[operation] = recorded
    found = answer(aws, replace(target, vm_name=name), check)
    command = (found.fix or "").partition("any more: ")[2]
    assert shlex.split(command)[-1] == name
