"""What AWS authorizes of a call to AWS Budgets.

Source: service authorization reference for Budgets, whose permissions are fewer than its calls.
"""

from __future__ import annotations

from collections.abc import Iterator

from biomodal_deploy.iam import facts
from biomodal_deploy.iam.evaluate import Request
from tests.support.authority.account import Account
from tests.support.authority.call import ApiCall
from tests.support.authority.common import request, request_tags, tags_in


def requests(call: ApiCall, account: Account) -> Iterator[Request]:
    """Give what AWS authorizes; creating with tags is creating and tagging."""
    name = call.one("BudgetName", "Budget.BudgetName", "NewBudget.BudgetName") or "*"
    arn = call.one("ResourceARN") or facts.arn("budgets:budget", name, account.place)
    tags = request_tags(tags_in(call.parameters, "ResourceTags"))
    if call.operation.endswith("Resource"):
        yield request(call, f"budgets:{call.operation}", arn, tags)
        return
    reads = call.operation.startswith("Describe")
    yield request(call, "budgets:ViewBudget" if reads else "budgets:ModifyBudget", arn)
    if tags:
        yield request(call, "budgets:TagResource", arn, tags)
