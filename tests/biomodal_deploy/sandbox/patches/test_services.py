"""Patches of AWS Budgets fix what they say: the same calls go wrong without them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from biomodal_deploy.sandbox.patches import services
from tests.support.moto import ACCOUNT, Use, only

NOTIFICATION: Final = {
    "NotificationType": "ACTUAL",
    "ComparisonOperator": "GREATER_THAN",
    "Threshold": 80.0,
    "ThresholdType": "PERCENTAGE",
}


ARN: Final = f"arn:aws:budgets::{ACCOUNT}:budget/monthly"
BUDGET: Final = {"BudgetName": "monthly", "TimeUnit": "MONTHLY", "BudgetType": "COST"}


def budget(service: Any) -> None:
    """Make a budget with one notification and one tag."""
    subscribers = [{"SubscriptionType": "EMAIL", "Address": "me@example.org"}]
    service.create_budget(
        AccountId=ACCOUNT,
        Budget={**BUDGET, "BudgetLimit": {"Amount": "100", "Unit": "USD"}},
        NotificationsWithSubscribers=[{"Notification": NOTIFICATION, "Subscribers": subscribers}],
        ResourceTags=[{"Key": "Step", "Value": "1"}],
    )


def tags(service: Any) -> Any:
    """Return the tags of that budget."""
    return service.list_tags_for_resource(ResourceARN=ARN)["ResourceTags"]


def test_subscribers_can_be_read(budgets: Any, use: Use) -> None:
    """A notification's subscribers are read back, and another notification has none of them."""
    budget(budgets)

    def subscribers(**other: Any) -> list[str]:
        answer = budgets.describe_subscribers_for_notification(
            AccountId=ACCOUNT, BudgetName="monthly", Notification={**NOTIFICATION, **other}
        )
        return [each["Address"] for each in answer["Subscribers"]]

    with pytest.raises(NotImplementedError):
        subscribers()
    use(services.subscribers_can_be_read)
    assert subscribers() == ["me@example.org"]
    assert subscribers(Threshold=90.0) == []


def test_tags_can_be_read(budgets: Any, use: Use) -> None:
    """A budget's tags are read back."""
    with pytest.raises(NotImplementedError):
        tags(budgets)
    use(services.tags_can_be_read)
    budget(budgets)
    assert tags(budgets) == [{"Key": "Step", "Value": "1"}]


def test_tags_can_be_changed(budgets: Any, use: Use) -> None:
    """A budget gets another tag, and loses one."""
    use(services.tags_can_be_read)
    budget(budgets)
    with pytest.raises(NotImplementedError):
        budgets.tag_resource(ResourceARN=ARN, ResourceTags=[])
    use(services.tags_can_be_changed)
    budgets.tag_resource(ResourceARN=ARN, ResourceTags=[{"Key": "new", "Value": "1"}])
    budgets.untag_resource(ResourceARN=ARN, ResourceTagKeys=["Step"])
    assert tags(budgets) == [{"Key": "new", "Value": "1"}]


def test_budgets_can_be_changed(budgets: Any, use: Use) -> None:
    """Another amount, in the same period."""
    budget(budgets)

    def found() -> Any:
        return budgets.describe_budget(AccountId=ACCOUNT, BudgetName="monthly")["Budget"]

    before = found()
    new = {**BUDGET, "BudgetLimit": {"Amount": "200", "Unit": "USD"}}
    with pytest.raises(NotImplementedError):
        budgets.update_budget(AccountId=ACCOUNT, NewBudget=new)
    use(services.budgets_can_be_changed)
    budgets.update_budget(AccountId=ACCOUNT, NewBudget=new)
    assert float(found()["BudgetLimit"]["Amount"]) == 200
    assert found()["TimePeriod"] == before["TimePeriod"]


def test_scan_on_push_can_be_switched_off(aws: Callable[[str], Any], use: Use) -> None:
    """An empty scanning configuration, as the Go SDK sends a false, switches scanning off."""
    ecr = aws("ecr")
    ecr.create_repository(repositoryName="tools", imageScanningConfiguration={"scanOnPush": True})

    def switched_off() -> bool:
        ecr.put_image_scanning_configuration(repositoryName="tools", imageScanningConfiguration={})
        repository = only(ecr.describe_repositories()["repositories"])
        return not repository["imageScanningConfiguration"]["scanOnPush"]

    assert not switched_off()
    use(services.scan_on_push_can_be_switched_off)
    assert switched_off()


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
    use(services.service_linked_role_names)
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
    use(services.unread_conditions_deny_nothing)
    s3.head_object(Bucket="data", Key="object")
    deny()
    with pytest.raises(ClientError, match="403"):
        s3.head_object(Bucket="data", Key="object")


def test_updates_of_a_role_keep_its_description(aws: Callable[[str], Any], use: Use) -> None:
    """A role whose session's length changes keeps its description; a new one is taken."""
    iam = aws("iam")
    iam.create_role(
        RoleName="role",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}),
        Description="mine",
    )

    def description(**change: Any) -> str | None:
        iam.update_role(RoleName="role", MaxSessionDuration=7200, **change)
        shown: str | None = iam.get_role(RoleName="role")["Role"].get("Description")
        return shown

    assert description() is None
    assert description(Description="mine") == "mine"
    use(services.updates_of_a_role_keep_its_description)
    assert description() == "mine"
    assert description(Description="new") == "new"


def test_deletions_name_their_role(aws: Callable[[str], Any], use: Use) -> None:
    """The id of a deletion tells which role of which service goes, as AWS's does."""
    iam = aws("iam")

    def deleted() -> str:
        made = iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
        task = iam.delete_service_linked_role(RoleName=made["Role"]["RoleName"])
        shown = iam.get_service_linked_role_deletion_status(DeletionTaskId=task["DeletionTaskId"])
        assert shown["Status"] == "SUCCEEDED"
        return str(task["DeletionTaskId"])

    start = "task/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling/"
    assert not deleted().startswith(start)
    use(services.deletions_name_their_role)
    assert deleted().startswith(start)
