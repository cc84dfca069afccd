"""The names that the stack will take."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from biomodal_deploy.aws.checks import Verdict
from biomodal_deploy.aws.preflight.target import Target
from tests.support.preflight_cases import Wrong, answer, cases, environments, job_queues
from tests.support.recorded_aws import NAME, REGION, Recorded, RecordedAws, Refusal, profile, role

FAIL = Verdict.FAIL
# By what the name is of: the call, its answer, how the line calls it, and what frees it.
TAKEN: dict[str, tuple[str, Recorded, str, str]] = {
    "key-pair": (
        "ec2.DescribeKeyPairs",
        {"KeyPairs": [{"KeyName": NAME}]},
        f"key pair {NAME} exists and is not this stack's",
        f"aws ec2 delete-key-pair --region {REGION} --key-name {NAME}",
    ),
    "repository": (
        "ecr.DescribeRepositories",
        {"repositories": [{"repositoryName": NAME}]},
        f"ECR repository {NAME} exists",
        f"aws ecr delete-repository --region {REGION} --repository-name {NAME}",
    ),
    "role": (
        "iam.GetRole",
        {"Role": role(NAME)},
        f"IAM role {NAME} exists",
        f"aws iam delete-role --role-name {NAME}",
    ),
    "instance-profile": (
        "iam.GetInstanceProfile",
        profile(NAME),
        f"instance profile {NAME} exists",
        f"aws iam delete-instance-profile --instance-profile-name {NAME}",
    ),
    "security-group": (
        "ec2.DescribeSecurityGroups",
        {"SecurityGroups": [{"GroupName": f"{NAME}-sg", "GroupId": "sg-1"}]},
        f"security group {NAME}-sg exists",
        "another vm_name",
    ),
    "launch-template": (
        "ec2.DescribeLaunchTemplates",
        {"LaunchTemplates": [{"LaunchTemplateName": f"{NAME}-batch-launch-template"}]},
        f"launch template {NAME}-batch-launch-template exists",
        "aws ec2 delete-launch-template",
    ),
    "compute-environment": (
        "batch.DescribeComputeEnvironments",
        environments(NAME, status="DELETING"),
        f"Batch compute environment {NAME} exists and is not this stack's, status DELETING",
        "aws batch delete-compute-environment",
    ),
    "job-queue": (
        "batch.DescribeJobQueues",
        job_queues(f"{NAME}-job-queue"),
        f"Batch job queue {NAME}-job-queue exists",
        "aws batch delete-job-queue",
    ),
}


@pytest.mark.parametrize("check", TAKEN)
def test_one_thing_wrong(aws: RecordedAws, target: Target, check: str) -> None:
    """A name that is taken is found, and comes with what frees it."""
    operation, recorded, line, fix = TAKEN[check]
    Wrong(check, operation, recorded, FAIL, line, fix).assert_found(aws, target)


@pytest.mark.parametrize(
    ("check", "held", "operation", "recorded"),
    [
        ("key-pair", f"aws_key_pair:{NAME}", "ec2.DescribeKeyPairs", {"KeyPairs": [{}]}),
        ("role", f"aws_iam_role:{NAME}", "iam.GetRole", {"Role": role(NAME)}),
        ("bucket", f"aws_s3_bucket:{NAME}", "s3.HeadBucket", {"BucketRegion": REGION}),
    ],
)
def test_what_another_state_holds_is_not_to_be_deleted(
    aws: RecordedAws, target: Target, check: str, held: str, operation: str, recorded: Recorded
) -> None:
    """It is some other environment's, which works; only another name is advised."""
    aws.answers[operation] = recorded
    found = answer(aws, target, check, elsewhere={held: "the stack lab in the workspace dev"})
    assert found.verdict is FAIL
    assert "that of the stack lab in the workspace dev" in found.line
    assert found.fix == "choose another vm_name"


def test_a_name_of_what_is_deleted_is_free(aws: RecordedAws, target: Target) -> None:
    """Batch goes on describing an environment for a while after its end."""
    aws.answers["batch.DescribeComputeEnvironments"] = environments(NAME, status="DELETED")
    found = answer(aws, target, "compute-environment")
    assert (found.verdict, "is free" in found.line) == (Verdict.PASS, True)


@pytest.mark.parametrize(
    ("check", "kind"), [("key-pair", "aws_key_pair"), ("role", "aws_iam_role")]
)
def test_what_the_stack_has_is_not_taken(
    aws: RecordedAws, target: Target, check: str, kind: str
) -> None:
    """After an apply, its own names are no failures; without the state they are."""
    operation, aws.answers[operation], *_ = TAKEN[check]
    assert answer(aws, target, check, f"{kind}:{NAME}").verdict is Verdict.PASS
    assert answer(aws, target, check).verdict is FAIL


@pytest.mark.parametrize("check", ["key-pair", "role", "bucket"])
def test_without_the_state_nobody_is_told_to_delete(
    aws: RecordedAws, target: Target, check: str
) -> None:
    """What exists may be the stack's own: unknown, and the advice is what finds it out."""
    operation, recorded, *_ = TAKEN.get(check, ("s3.HeadBucket", {}))
    aws.answers[operation] = recorded
    found = answer(aws, target, check, state_is_known=False)
    assert found.verdict is Verdict.UNKNOWN
    assert "its state was not read" in found.line
    assert found.fix is not None
    assert found.fix.startswith("biomodal-aws plan")
    assert "delete" not in found.fix


@pytest.mark.parametrize("check", ["key-pair", "repository", "role", "instance-profile"])
def test_a_name_is_one_word_of_its_command(aws: RecordedAws, target: Target, check: str) -> None:
    """Pasted into a shell, a name from the settings runs nothing of its own."""
    name = "lab; touch `id` $(id) 'x"
    operation, recorded, *_ = TAKEN[check]
    aws.answers[operation] = recorded
    found = answer(aws, replace(target, vm_name=name), check)
    command = (found.fix or "").partition("any more: ")[2]
    assert shlex.split(command)[-1] == name


WARNING, UNKNOWN = Verdict.WARNING, Verdict.UNKNOWN


USABLE = f'set use_existing_bucket_url = "s3://{NAME}"'
OTHERS = Refusal("403", "Forbidden", 403)


@pytest.mark.parametrize(
    "wrong",
    cases(
        "bucket",
        "s3.HeadBucket",
        ({"BucketRegion": REGION}, FAIL, f"a bucket {NAME} exists that you may use", USABLE),
        (OTHERS, FAIL, f"a bucket {NAME} exists in some account", "another vm_name"),
    ),
    ids=str,
)
def test_one_thing_wrong_with_the_bucket(aws: RecordedAws, target: Target, wrong: Wrong) -> None:
    """A name that is taken is found, and comes with what can be done."""
    wrong.assert_found(aws, target)


@pytest.mark.parametrize(
    ("recorded", "verdict", "line"),
    [
        ({"BucketRegion": REGION}, Verdict.PASS, "lab-data is there"),
        ({"BucketRegion": "us-east-1"}, WARNING, "lab-data is in us-east-1, the VM in eu-"),
        (Refusal("404", "", 404), FAIL, "there is no bucket lab-data"),
        (Refusal("403", "", 403), UNKNOWN, "may not s3:ListBucket"),
    ],
)
def test_reach_and_region_of_an_existing_one(
    aws: RecordedAws, target: Target, recorded: Recorded, verdict: Verdict, line: str
) -> None:
    """One to be used has to be there, in the region; what cannot be seen is not passed."""
    target = replace(target, use_existing_bucket_url="s3://lab-data/")
    aws.answers["s3.HeadBucket"] = recorded
    found = answer(aws, target, "bucket")
    assert (found.verdict, line in found.line) == (verdict, True), found


def test_a_bucket_that_the_caller_may_not_look_for(aws: RecordedAws, target: Target) -> None:
    """Without s3:ListBucket every name looks taken; asked as nobody, a free one is free."""
    codes = iter(["403", "404"])
    aws.answers["s3.HeadBucket"] = lambda _: Refusal(next(codes), "", 403)
    assert answer(aws, target, "bucket").verdict is Verdict.PASS
    assert next(codes, None) is None


def test_the_modules_bucket_has_a_name_of_its_own(aws: RecordedAws, target: Target) -> None:
    """AWS completes the name for the module: a bucket of the bare name is no obstacle."""
    target = replace(target, bootstrap="module")
    aws.answers["s3.HeadBucket"] = {"BucketRegion": REGION}
    assert answer(aws, target, "bucket").verdict is Verdict.PASS
    assert "s3.HeadBucket" not in aws.calls


def test_the_stacks_own_is_not_taken(aws: RecordedAws, target: Target) -> None:
    """After an apply its own bucket is no failure; without the state it is."""
    aws.answers["s3.HeadBucket"] = {"BucketRegion": REGION}
    assert answer(aws, target, "bucket", f"aws_s3_bucket:{NAME}").verdict is Verdict.PASS
    assert answer(aws, target, "bucket").verdict is FAIL
