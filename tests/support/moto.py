"""Moves of a client against moto, and what a patch's test takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, Final, TypeAlias

import boto3
import pytest
from moto import mock_aws

from biomodal_deploy.sandbox.patches import Patch

REGION: Final = "us-east-1"
ACCOUNT: Final = "123456789012"
PROFILE: Final = f"arn:aws:iam::{ACCOUNT}:instance-profile/hosts"
Use: TypeAlias = Callable[[Patch], None]


# Clients outlive the accounts: making one takes longer than most tests.
@cache
def session(region: str = REGION) -> boto3.Session:
    """Return the session that all tests in a region share."""
    return boto3.Session("test", "test", region_name=region)


@cache
def _client(region: str, service: str) -> Any:
    return session(region).client(service)  # type: ignore[call-overload]


@contextmanager
def account(region: str = REGION) -> Iterator[Callable[[str], Any]]:
    """Give an account of moto's in this process with nothing in it: a client for each service."""
    with pytest.MonkeyPatch.context() as settings:
        # They are slow, and not asked for; read when the account ends, too.
        settings.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
        with mock_aws():
            yield partial(_client, region)


def launch(ec2: Any, **more: Any) -> str:
    """Launch an instance and return its id."""
    answer = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, **more)
    return str(answer["Instances"][0]["InstanceId"])


def environment(aws: Callable[[str], Any], **more: Any) -> str:
    """Make a compute environment, with what it needs, and return its ARN."""
    roles, ec2 = aws("iam"), aws("ec2")
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    if not roles.list_instance_profiles()["InstanceProfiles"]:
        roles.create_role(RoleName="hosts", AssumeRolePolicyDocument=trust)
        roles.create_instance_profile(InstanceProfileName="hosts")
    subnet = ec2.describe_subnets()["Subnets"][0]
    group = ec2.describe_security_groups()["SecurityGroups"][0]
    answer = aws("batch").create_compute_environment(
        **{
            "computeEnvironmentName": "spot",
            "type": "MANAGED",
            "state": "ENABLED",
            "serviceRole": f"arn:aws:iam::{ACCOUNT}:role/hosts",
            "computeResources": {
                "type": "SPOT",
                "minvCpus": 0,
                "maxvCpus": 256,
                "instanceTypes": ["optimal"],
                "instanceRole": PROFILE,
                "subnets": [subnet["SubnetId"]],
                "securityGroupIds": [group["GroupId"]],
            },
            **more,
        }
    )
    return str(answer["computeEnvironmentArn"])


def queue(aws: Callable[[str], Any], compute_environment: str, **more: Any) -> None:
    """Make a job queue on a compute environment."""
    order = [{"order": 1, "computeEnvironment": compute_environment}]
    aws("batch").create_job_queue(
        jobQueueName="queue", state="ENABLED", priority=1, computeEnvironmentOrder=order, **more
    )


def only(answers: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the one answer there is."""
    (answer,) = answers
    return answer
