"""Patches of IAM mend what they say: the same calls go wrong without them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from biomodal_deploy.sandbox.patches import iam
from tests.support.moto import Use


@pytest.mark.parametrize(
    ("service", "role"),
    [
        ("batch.amazonaws.com", "AWSServiceRoleForBatch"),
        ("spot.amazonaws.com", "AWSServiceRoleForEC2Spot"),
        ("spotfleet.amazonaws.com", "AWSServiceRoleForEC2SpotFleet"),
        ("ecs.amazonaws.com", "AWSServiceRoleForECS"),
        ("autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling"),
    ],
)
def test_service_linked_role_names(
    aws: Callable[[str], Any], use: Use, service: str, role: str
) -> None:
    """A service-linked role has the name that AWS gives it."""
    use(iam.service_linked_role_names)
    made = aws("iam").create_service_linked_role(AWSServiceName=service)["Role"]
    assert made["RoleName"] == role
    assert made["Path"] == f"/aws-service-role/{service}/"


def test_service_linked_role_names_without_the_patch(aws: Callable[[str], Any]) -> None:
    """Left alone, moto spells Batch's role in a way that no ARN points at."""
    made = aws("iam").create_service_linked_role(AWSServiceName="batch.amazonaws.com")
    assert made["Role"]["RoleName"] == "AWSServiceRoleForbatch"


def test_unread_conditions_deny_nothing(aws: Callable[[str], Any], use: Use) -> None:
    """A bucket that refuses what comes without TLS serves us; a plain Deny still denies."""
    s3 = aws("s3")
    s3.create_bucket(Bucket="data")
    s3.put_object(Bucket="data", Key="object", Body=io.BytesIO(b"content"))

    def deny(**condition: Any) -> None:
        statement = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "arn:aws:s3:::data/*",
            **condition,
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        s3.put_bucket_policy(Bucket="data", Policy=json.dumps(policy))

    tls = {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    deny(**tls)
    with pytest.raises(ClientError, match="403"):
        s3.head_object(Bucket="data", Key="object")
    use(iam.unread_conditions_deny_nothing)
    s3.head_object(Bucket="data", Key="object")
    deny()
    with pytest.raises(ClientError, match="403"):
        s3.head_object(Bucket="data", Key="object")


def test_updates_of_a_role_keep_its_description(aws: Callable[[str], Any], use: Use) -> None:
    """A role whose session's length changes keeps its description; a new one is taken."""
    roles = aws("iam")
    roles.create_role(
        RoleName="role",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}),
        Description="mine",
    )

    def description(**change: Any) -> str | None:
        roles.update_role(RoleName="role", MaxSessionDuration=7200, **change)
        shown: str | None = roles.get_role(RoleName="role")["Role"].get("Description")
        return shown

    assert description() is None
    assert description(Description="mine") == "mine"
    use(iam.updates_of_a_role_keep_its_description)
    assert description() == "mine"
    assert description(Description="new") == "new"


def test_deletions_name_their_role(aws: Callable[[str], Any], use: Use) -> None:
    """The id of a deletion tells which role of which service goes, as AWS's does."""
    roles = aws("iam")

    def deleted() -> str:
        made = roles.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
        task = roles.delete_service_linked_role(RoleName=made["Role"]["RoleName"])
        shown = roles.get_service_linked_role_deletion_status(DeletionTaskId=task["DeletionTaskId"])
        assert shown["Status"] == "SUCCEEDED"
        return str(task["DeletionTaskId"])

    start = "task/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling/"
    assert not deleted().startswith(start)
    use(iam.deletions_name_their_role)
    assert deleted().startswith(start)
