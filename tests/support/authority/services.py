"""What AWS authorizes of a call to Budgets, CloudWatch, CloudWatch Logs and ECR."""

from __future__ import annotations

from collections.abc import Iterator

from biomodal_deploy.iam import iam_reference
from biomodal_deploy.iam.evaluate import Request
from tests.support.authority.account import Account
from tests.support.authority.call import ApiCall
from tests.support.authority.common import request, request_tags, tags_in


def budgets(call: ApiCall, account: Account) -> Iterator[Request]:
    """Give what AWS authorizes: Budgets' permissions are fewer than its calls (its reference)."""
    name = call.one("BudgetName", "Budget.BudgetName", "NewBudget.BudgetName") or "*"
    arn = call.one("ResourceARN") or iam_reference.arn("budgets:budget", name, account.place)
    tags = request_tags(tags_in(call.parameters, "ResourceTags"))
    if call.operation.endswith("Resource"):
        yield request(call, f"budgets:{call.operation}", arn, tags)
        return
    reads = call.operation.startswith("Describe")
    yield request(call, "budgets:ViewBudget" if reads else "budgets:ModifyBudget", arn)
    if tags:
        yield request(call, "budgets:TagResource", arn, tags)


def cloudwatch(call: ApiCall, account: Account) -> Iterator[Request]:
    """Give what AWS authorizes; writing with tags is writing and tagging."""
    tags = request_tags(tags_in(call.parameters, "Tags"))
    # A list of alarms is judged on all of them, whichever names it asks for.
    lists = call.operation == "DescribeAlarms"
    names = ["*"] if lists else call.each("AlarmName") + call.each("AlarmNames")
    arns = call.each("ResourceARN") + [
        iam_reference.arn("cloudwatch:alarm", name, account.place) for name in names
    ]
    for arn in arns:
        yield request(call, f"cloudwatch:{call.operation}", arn, tags)
        if tags and call.operation == "PutMetricAlarm":
            yield request(call, "cloudwatch:TagResource", arn, tags)


def ecr(call: ApiCall, account: Account) -> Iterator[Request]:
    """Give what AWS authorizes; creating with tags is creating and tagging."""
    tags = request_tags(tags_in(call.parameters, "tags"))
    names = call.each("repositoryName") or call.each("repositoryNames") or ["*"]
    arns = call.each("resourceArn") or [
        iam_reference.arn("ecr:repository", name, account.place) for name in names
    ]
    for arn in arns:
        yield request(call, f"ecr:{call.operation}", arn, tags)
        if tags and call.operation == "CreateRepository":
            yield request(call, "ecr:TagResource", arn, tags)


def logs(call: ApiCall, account: Account) -> Iterator[Request]:
    """Give what AWS authorizes: a group's ARN ends with `:*`, but for the actions about tags."""
    action = f"logs:{call.operation}"
    known = iam_reference.action(action)
    if known is None or not known.resources:
        yield request(call, action, "*")
        return
    tags = request_tags(call.under("tags"))
    if arn := call.one("resourceArn"):
        yield request(call, action, arn, tags)
    elif name := call.one("logGroupName"):
        group = iam_reference.arn("logs:log-group", name, account.place)
        yield request(call, action, f"{group}:*", tags)
        if tags and call.operation == "CreateLogGroup":
            yield request(call, "logs:TagResource", group, tags)
