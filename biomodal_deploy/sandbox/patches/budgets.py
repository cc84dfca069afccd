"""What moto's Budgets lacks."""

from __future__ import annotations

import json
from typing import Any, Final

from biomodal_deploy.sandbox.patches.change import Change, Method


def subscribers_can_be_read() -> list[Change]:
    """Implement DescribeSubscribersForNotification.

    The AWS provider asks it for each notification of a budget, at every refresh. moto keeps the
    subscribers and answers nobody.
    """
    from moto.budgets.responses import BudgetsResponse

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

    def unless_there(original: Method | None) -> Method:
        return original or describe_subscribers_for_notification

    return [_Addition(BudgetsResponse, "describe_subscribers_for_notification", unless_there)]


class _Addition(Change):
    """A name that moto does not have."""

    def apply(self) -> None:
        """Put it in place."""
        setattr(self.owner, self.name, self.made_from(getattr(self.owner, self.name, None)))


def _same(details: dict[str, Any], asked: dict[str, Any]) -> bool:
    # The notification's state is AWS's to tell; it is no part of what names it.
    names = ("NotificationType", "ComparisonOperator", "Threshold", "ThresholdType")
    return all(details.get(name) == asked.get(name) for name in names)


def tags_can_be_read() -> list[Change]:
    """Implement ListTagsForResource, which the AWS provider asks at every refresh."""
    from moto.budgets.models import Budget
    from moto.budgets.responses import BudgetsResponse

    def list_tags_for_resource(self: Any) -> str:
        name = str(self._get_param("ResourceARN")).rpartition("/")[2]
        budgets = self.backend.budgets[self.current_account]
        return json.dumps({"ResourceTags": getattr(budgets.get(name), "tags", [])})

    def keeping_tags(original: Method) -> Method:
        def create_budget(self: Any) -> object:
            answer = original(self)
            budgets: dict[str, Budget] = self.backend.budgets[self._get_param("AccountId")]
            budget: Any = budgets[self._get_param("Budget")["BudgetName"]]
            budget.tags = self._get_param("ResourceTags", [])
            return answer

        return create_budget

    return [
        _Addition(
            BudgetsResponse, "list_tags_for_resource", lambda own: own or list_tags_for_resource
        ),
        Change(BudgetsResponse, "create_budget", keeping_tags),
    ]


PATCHES: Final = (subscribers_can_be_read, tags_can_be_read)
