"""What moto's Budgets, ECR and IAM lack."""

from __future__ import annotations

import json
from typing import Any, Final

from moto.budgets.models import Budget
from moto.budgets.responses import BudgetsResponse
from moto.ecr.models import Repository
from moto.iam import models
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.iam.models import IAMBackend
from moto.iam.policy_conditions import CONDITION_OPERATIONS

from biomodal_deploy.sandbox.patches import Method, patch, patched_value


@patch(BudgetsResponse, "describe_subscribers_for_notification", new=True)
def subscribers_can_be_read(_: None, self: Any) -> str:
    """Implement DescribeSubscribersForNotification.

    The AWS provider asks it for each notification of a budget, at every refresh. moto keeps the
    subscribers and answers nobody.
    """
    budgets = self.backend.budgets[self._get_param("AccountId")]
    asked = self._get_param("Notification")
    subscribers = [
        subscriber
        for notification in budgets[self._get_param("BudgetName")].notifications
        if _same(notification.details, asked)
        for subscriber in notification.subscribers
    ]
    return json.dumps({"Subscribers": subscribers, "NextToken": None})


def _same(details: dict[str, Any], asked: dict[str, Any]) -> bool:
    # The notification's state is AWS's to tell; it is no part of what names it.
    names = ("NotificationType", "ComparisonOperator", "Threshold", "ThresholdType")
    return all(details.get(name) == asked.get(name) for name in names)


@patch(BudgetsResponse, "update_budget", new=True)
def budgets_can_be_changed(_: None, self: Any) -> str:
    """Implement UpdateBudget: everything but the notifications is replaced."""
    new = self._get_param("NewBudget")
    budget: Any = self.backend.budgets[self._get_param("AccountId")][new["BudgetName"]]
    budget.budget = {"TimePeriod": budget.budget["TimePeriod"]} | new
    return "{}"


@patch(BudgetsResponse, "list_tags_for_resource", new=True)
def tags_can_be_read(_: None, self: Any) -> str:
    """Implement ListTagsForResource, which the AWS provider asks at every refresh."""
    budget = _named(self, self._get_param("ResourceARN"))
    return json.dumps({"ResourceTags": getattr(budget, "tags", [])})


@tags_can_be_read.also(BudgetsResponse, "create_budget")
def _keep_tags(original: Method, self: Any) -> object:
    answer = original(self)
    budgets: dict[str, Budget] = self.backend.budgets[self._get_param("AccountId")]
    budget: Any = budgets[self._get_param("Budget")["BudgetName"]]
    budget.tags = self._get_param("ResourceTags", [])
    return answer


@patch(BudgetsResponse, "tag_resource", new=True)
def tags_can_be_changed(_: None, self: Any) -> str:
    """Implement TagResource and UntagResource on the tags that a budget was made with."""
    new = self._get_param("ResourceTags")
    _replace_tags(_named(self, self._get_param("ResourceARN")), [t["Key"] for t in new], new)
    return "{}"


@tags_can_be_changed.also(BudgetsResponse, "untag_resource", new=True)
def _untag_resource(_: None, self: Any) -> str:
    gone = self._get_param("ResourceTagKeys")
    _replace_tags(_named(self, self._get_param("ResourceARN")), gone, [])
    return "{}"


def _named(response: Any, arn: str) -> Any:
    return response.backend.budgets[response.current_account].get(arn.rpartition("/")[2])


def _replace_tags(budget: Any, gone: list[str], new: list[dict[str, str]]) -> None:
    budget.tags = [tag for tag in budget.tags if tag["Key"] not in gone] + new


@patch(Repository, "_update_image_scanning_configuration")
def scan_on_push_can_be_switched_off(
    _: Method, self: Any, image_scanning_configuration: dict[str, bool] | None
) -> None:
    """Take an image scanning configuration without `scanOnPush` as one that says no.

    The Go SDK leaves a false out of what it sends, and moto takes what is then empty for nothing
    to do: each later plan wants to switch scanning off again.
    """
    if image_scanning_configuration is not None:
        self.image_scanning_configuration = {
            "scanOnPush": image_scanning_configuration.get("scanOnPush", False)
        }


_SERVICE_LINKED: Final = {
    "batch": "Batch",
    "ecs": "ECS",
    "spot": "EC2Spot",
    "spotfleet": "EC2SpotFleet",
}


@patched_value(models, "SERVICE_NAME_CONVERSION")
def service_linked_role_names(names: dict[str, str]) -> dict[str, str]:
    """Name service-linked roles as AWS does.

    moto builds the name from the service's address: AWSServiceRoleForbatch, which is no role that
    anyone's ARN points at.
    """
    return {**names, **_SERVICE_LINKED}


@patch(IAMBackend, "delete_service_linked_role")
def deletions_name_their_role(original: Method, self: Any, role_name: str) -> str:
    """Give the deletion of a service-linked role the id that AWS gives it.

    It names service and role, on which AWS judges who may ask how far the deletion is; moto's is a
    UUID alone.
    """
    path = self.get_role(role_name).path
    return f"task{path}{role_name}/{original(self, role_name)}"


@patch(IAMPolicyStatement, "is_action_permitted")
def unread_conditions_deny_nothing(
    original: Method, self: Any, *args: Any, **kwargs: Any
) -> object:
    """Let a Deny be where moto cannot read its condition.

    moto takes each condition that it cannot read for fulfilled. The usual "deny whatever comes
    without TLS" on a bucket would then deny everything to everyone.
    """
    statement: dict[str, Any] = self._statement
    if statement.get("Effect") == "Deny":
        operators = set(statement.get("Condition") or ())
        if not operators <= CONDITION_OPERATIONS.keys():
            return PermissionResult.NEUTRAL
    return original(self, *args, **kwargs)


@patch(IAMBackend, "update_role")
def updates_of_a_role_keep_its_description(
    original: Method, self: Any, name: str, description: str | None, max_session_duration: str
) -> object:
    """Leave a role's description alone where UpdateRole names none.

    The AWS provider changes the session's length alone that way, and moto wipes the description.
    """
    if description is None:
        description = self.get_role(name).description
    return original(self, name, description, max_session_duration)
