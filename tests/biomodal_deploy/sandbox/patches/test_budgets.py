"""Patches of AWS Budgets mend what they say: the same calls go wrong without them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from biomodal_deploy.sandbox.patches import budgets
from tests.support.moto import ACCOUNT, Use

NOTIFICATION: Final = {
    "NotificationType": "ACTUAL",
    "ComparisonOperator": "GREATER_THAN",
    "Threshold": 80.0,
    "ThresholdType": "PERCENTAGE",
}


def budget(service: Any) -> None:
    """Make a budget with one notification and one tag."""
    service.create_budget(
        AccountId=ACCOUNT,
        Budget={
            "BudgetName": "monthly",
            "BudgetLimit": {"Amount": "100", "Unit": "USD"},
            "TimeUnit": "MONTHLY",
            "BudgetType": "COST",
        },
        NotificationsWithSubscribers=[
            {
                "Notification": NOTIFICATION,
                "Subscribers": [{"SubscriptionType": "EMAIL", "Address": "me@example.org"}],
            }
        ],
        ResourceTags=[{"Key": "Step", "Value": "1"}],
    )


def test_subscribers_can_be_read(aws: Callable[[str], Any], use: Use) -> None:
    """A notification's subscribers are read back, and another notification has none of them."""
    service = aws("budgets")
    budget(service)

    def subscribers(**other: Any) -> list[str]:
        answer = service.describe_subscribers_for_notification(
            AccountId=ACCOUNT, BudgetName="monthly", Notification={**NOTIFICATION, **other}
        )
        return [each["Address"] for each in answer["Subscribers"]]

    with pytest.raises(NotImplementedError):
        subscribers()
    use(budgets.subscribers_can_be_read)
    assert subscribers() == ["me@example.org"]
    assert subscribers(Threshold=90.0) == []


def test_tags_can_be_read(aws: Callable[[str], Any], use: Use) -> None:
    """A budget's tags are read back."""
    service = aws("budgets")
    arn = f"arn:aws:budgets::{ACCOUNT}:budget/monthly"
    with pytest.raises(NotImplementedError):
        service.list_tags_for_resource(ResourceARN=arn)
    use(budgets.tags_can_be_read)
    budget(service)
    tags = service.list_tags_for_resource(ResourceARN=arn)["ResourceTags"]
    assert tags == [{"Key": "Step", "Value": "1"}]


def test_tags_can_be_changed(aws: Callable[[str], Any], use: Use) -> None:
    """A budget gets another tag, and loses one."""
    service = aws("budgets")
    arn = f"arn:aws:budgets::{ACCOUNT}:budget/monthly"
    use(budgets.tags_can_be_read)
    budget(service)
    with pytest.raises(NotImplementedError):
        service.tag_resource(ResourceARN=arn, ResourceTags=[])
    use(budgets.tags_can_be_changed)
    service.tag_resource(ResourceARN=arn, ResourceTags=[{"Key": "new", "Value": "1"}])
    service.untag_resource(ResourceARN=arn, ResourceTagKeys=["Step"])
    tags = service.list_tags_for_resource(ResourceARN=arn)["ResourceTags"]
    assert tags == [{"Key": "new", "Value": "1"}]


def test_budgets_can_be_changed(aws: Callable[[str], Any], use: Use) -> None:
    """Another amount, in the same period."""
    service = aws("budgets")
    budget(service)

    def found() -> Any:
        return service.describe_budget(AccountId=ACCOUNT, BudgetName="monthly")["Budget"]

    before = found()
    new = {name: before[name] for name in ("BudgetName", "BudgetType", "TimeUnit")}
    new |= {"BudgetLimit": {"Amount": "200", "Unit": "USD"}}
    with pytest.raises(NotImplementedError):
        service.update_budget(AccountId=ACCOUNT, NewBudget=new)
    use(budgets.budgets_can_be_changed)
    service.update_budget(AccountId=ACCOUNT, NewBudget=new)
    assert float(found()["BudgetLimit"]["Amount"]) == 200
    assert found()["TimePeriod"] == before["TimePeriod"]
