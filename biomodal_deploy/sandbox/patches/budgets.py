"""What moto's Budgets lacks."""

from __future__ import annotations

import json
from typing import Any, Final

from moto.budgets.models import Budget
from moto.budgets.responses import BudgetsResponse

from biomodal_deploy.sandbox.patches.change import Change, Method


def subscribers_can_be_read() -> list[Change]:
    """Implement DescribeSubscribersForNotification.

    The AWS provider asks it for each notification of a budget, at every refresh. moto keeps the
    subscribers and answers nobody.
    """

    def describe_subscribers_for_notification(self: Any) -> str:
        budgets = self.backend.budgets[self._get_param("AccountId")]
        asked = self._get_param("Notification")
        subscribers = [
            subscriber
            for notification in budgets[self._get_param("BudgetName")].notifications
            if _same(notification.details, asked)
            for subscriber in notification.subscribers
        ]
        return json.dumps({"Subscribers": subscribers, "NextToken": None})

    return [_added(describe_subscribers_for_notification)]


def _added(method: Method) -> Change:
    return Change(BudgetsResponse, method.__name__, lambda _: method, new=True)


def _same(details: dict[str, Any], asked: dict[str, Any]) -> bool:
    # The notification's state is AWS's to tell; it is no part of what names it.
    names = ("NotificationType", "ComparisonOperator", "Threshold", "ThresholdType")
    return all(details.get(name) == asked.get(name) for name in names)


def budgets_can_be_changed() -> list[Change]:
    """Implement UpdateBudget: everything but the notifications is replaced."""

    def update_budget(self: Any) -> str:
        new = self._get_param("NewBudget")
        budget: Any = self.backend.budgets[self._get_param("AccountId")][new["BudgetName"]]
        budget.budget = {"TimePeriod": budget.budget["TimePeriod"]} | new
        return "{}"

    return [_added(update_budget)]


def tags_can_be_read() -> list[Change]:
    """Implement ListTagsForResource, which the AWS provider asks at every refresh."""

    def list_tags_for_resource(self: Any) -> str:
        budget = _named(self, self._get_param("ResourceARN"))
        return json.dumps({"ResourceTags": getattr(budget, "tags", [])})

    def keeping_tags(original: Method) -> Method:
        def create_budget(self: Any) -> object:
            answer = original(self)
            budgets: dict[str, Budget] = self.backend.budgets[self._get_param("AccountId")]
            budget: Any = budgets[self._get_param("Budget")["BudgetName"]]
            budget.tags = self._get_param("ResourceTags", [])
            return answer

        return create_budget

    return [
        _added(list_tags_for_resource),
        Change(BudgetsResponse, "create_budget", keeping_tags),
    ]


def tags_can_be_changed() -> list[Change]:
    """Implement TagResource and UntagResource on the tags that a budget was made with."""

    def tag_resource(self: Any) -> str:
        new = self._get_param("ResourceTags")
        _replace_tags(_named(self, self._get_param("ResourceARN")), [t["Key"] for t in new], new)
        return "{}"

    def untag_resource(self: Any) -> str:
        gone = self._get_param("ResourceTagKeys")
        _replace_tags(_named(self, self._get_param("ResourceARN")), gone, [])
        return "{}"

    return [_added(tag_resource), _added(untag_resource)]


def _named(response: Any, arn: str) -> Any:
    return response.backend.budgets[response.current_account].get(arn.rpartition("/")[2])


def _replace_tags(budget: Any, gone: list[str], new: list[dict[str, str]]) -> None:
    budget.tags = [tag for tag in budget.tags if tag["Key"] not in gone] + new


PATCHES: Final = (
    subscribers_can_be_read,
    budgets_can_be_changed,
    tags_can_be_read,
    tags_can_be_changed,
)
