"""What is broken in a sandboxed account for the preflight to find, and how it is put back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, Final

import boto3.session

from biomodal_deploy.aws.checks import ReportData, Verdict
from biomodal_deploy.aws.preflight import run_preflight
from biomodal_deploy.aws.preflight.target import Target
from biomodal_deploy.sandbox import Sandbox
from tests.support.aws_command import commands_in

VM: Final = "preflight-vm"
ECS: Final = "ecsInstanceRole"
ECS_POLICY: Final = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
# What no sandbox answers: the check says so, and that is all it says.
UNANSWERED: Final = {"tasks-bucket", "on-demand-vcpus", "spot-vcpus", "caller-policy"}
NAMES: Final = {
    "key-pair",
    "repository",
    "role",
    "instance-profile",
    "security-group",
    "launch-template",
    "compute-environment",
    "job-queue",
}


def verdicts(report: ReportData) -> dict[str, Verdict]:
    """Return the verdict of each check."""
    return {each.check: each.verdict for each in report.checks}


def found(report: ReportData, check: str) -> tuple[Verdict, str, str]:
    """Return one check's verdict, line and fix."""
    answer = next(each for each in report.checks if each.check == check)
    return answer.verdict, answer.line, answer.fix or ""


def failures(report: ReportData) -> set[str]:
    """Return the checks that failed."""
    return {check for check, verdict in verdicts(report).items() if verdict is Verdict.FAIL}


def follow(advice: str, session: boto3.session.Session) -> None:
    """Run the one command that a line of advice holds."""
    (command,) = commands_in(advice)
    command.run(session)


@dataclass(frozen=True)
class Account:
    """An account, its owner's session, and the stack that the preflight is about."""

    sandbox: Sandbox
    target: Target
    session: boto3.session.Session

    def look(self, *, quick: bool = False, **changed: Any) -> ReportData:
        """Run the preflight, some of the stack's values changed."""
        return run_preflight(replace(self.target, **changed), self.session, quick=quick)

    def found(self, check: str, **changed: Any) -> tuple[Verdict, str, str]:
        """Return one check's verdict, line and fix."""
        return found(self.look(**changed), check)

    def failures(self, *, quick: bool = False, **changed: Any) -> set[str]:
        """Return the checks that fail."""
        return failures(self.look(quick=quick, **changed))

    def follow(self, advice: str) -> None:
        """Run the one command that a line of advice holds."""
        follow(advice, self.session)


def remove_ecs_role(sandbox: Sandbox) -> None:
    """Remove the hosts' role and its profile."""
    iam = sandbox.client("iam")
    iam.remove_role_from_instance_profile(InstanceProfileName=ECS, RoleName=ECS)
    iam.delete_instance_profile(InstanceProfileName=ECS)
    iam.detach_role_policy(RoleName=ECS, PolicyArn=ECS_POLICY)
    iam.delete_role(RoleName=ECS)


def remove_roles(sandbox: Sandbox) -> None:
    """Remove every role that a stack finds in the account."""
    remove_ecs_role(sandbox)
    sandbox.client("iam").delete_service_linked_role(RoleName="AWSServiceRoleForBatch")
    remove_spot_role(sandbox)


def remove_spot_role(sandbox: Sandbox) -> None:
    """Remove Spot's service role, where it is there."""
    iam = sandbox.client("iam")
    if any(each["RoleName"] == "AWSServiceRoleForEC2Spot" for each in iam.list_roles()["Roles"]):
        iam.delete_service_linked_role(RoleName="AWSServiceRoleForEC2Spot")


def take(check: str, sandbox: Sandbox, target: Target, cleaning: ExitStack) -> None:
    """Make what has the name that a check asks for, and have it removed afterwards."""
    ec2, iam, batch = sandbox.client("ec2"), sandbox.client("iam"), sandbox.client("batch")
    ecr, s3 = sandbox.client("ecr"), sandbox.client("s3")
    makers: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "bucket": (lambda: s3.create_bucket(Bucket=VM), lambda: s3.delete_bucket(Bucket=VM)),
        "key-pair": (
            lambda: ec2.create_key_pair(KeyName=VM),
            lambda: ec2.delete_key_pair(KeyName=VM),
        ),
        "repository": (
            lambda: ecr.create_repository(repositoryName=VM),
            lambda: ecr.delete_repository(repositoryName=VM),
        ),
        "role": (
            lambda: iam.create_role(RoleName=VM, AssumeRolePolicyDocument="{}"),
            lambda: iam.delete_role(RoleName=VM),
        ),
        "instance-profile": (
            lambda: iam.create_instance_profile(InstanceProfileName=VM),
            lambda: iam.delete_instance_profile(InstanceProfileName=VM),
        ),
        "security-group": (
            lambda: ec2.create_security_group(
                GroupName=f"{VM}-sg", Description="taken", VpcId=target.vpc_id
            ),
            lambda: ec2.delete_security_group(GroupId=_group(sandbox)),
        ),
        "launch-template": (
            lambda: ec2.create_launch_template(
                LaunchTemplateName=target.launch_template,
                LaunchTemplateData={"InstanceType": "t3.large"},
            ),
            lambda: ec2.delete_launch_template(LaunchTemplateName=target.launch_template),
        ),
        "compute-environment": (
            lambda: make_environment(sandbox, VM),
            lambda: remove_environment(sandbox, VM),
        ),
        "job-queue": (
            lambda: batch.create_job_queue(
                jobQueueName=target.job_queues[0],
                state="ENABLED",
                priority=1,
                computeEnvironmentOrder=[
                    {"order": 1, "computeEnvironment": make_environment(sandbox, "other")}
                ],
            ),
            lambda: remove_queue(sandbox, target.job_queues[0]),
        ),
    }
    make, remove = makers[check]
    if check == "job-queue":
        cleaning.callback(remove_environment, sandbox, "other")
    make()
    cleaning.callback(remove)


def make_environment(sandbox: Sandbox, name: str) -> str:
    """Make a compute environment, and return its name."""
    sandbox.client("batch").create_compute_environment(
        computeEnvironmentName=name,
        type="UNMANAGED",
        serviceRole=f"arn:aws:iam::{sandbox.account_id}:role/{ECS}",
    )
    return name


def remove_environment(sandbox: Sandbox, name: str) -> None:
    """Remove a compute environment."""
    batch = sandbox.client("batch")
    batch.update_compute_environment(computeEnvironment=name, state="DISABLED")
    batch.delete_compute_environment(computeEnvironment=name)


def remove_queue(sandbox: Sandbox, name: str) -> None:
    """Remove a job queue."""
    batch = sandbox.client("batch")
    batch.update_job_queue(jobQueue=name, state="DISABLED")
    batch.delete_job_queue(jobQueue=name)


def _group(sandbox: Sandbox) -> str:
    found = sandbox.client("ec2").describe_security_groups(
        Filters=[{"Name": "group-name", "Values": [f"{VM}-sg"]}]
    )
    return found["SecurityGroups"][0]["GroupId"]
