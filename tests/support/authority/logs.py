"""What AWS authorizes of a call to CloudWatch Logs.

Source: CloudWatch Logs API reference, LogGroup: its ARN in policies ends with `:*`, but for the
three actions about tags.
"""

from __future__ import annotations

from collections.abc import Iterator

from biomodal_deploy.iam import facts
from biomodal_deploy.iam.evaluate import Request
from tests.support.authority.account import Account
from tests.support.authority.call import ApiCall
from tests.support.authority.common import request, request_tags


def requests(call: ApiCall, account: Account) -> Iterator[Request]:
    """Give what AWS authorizes; creating with tags is creating and tagging."""
    action = f"logs:{call.operation}"
    known = facts.action(action)
    if known is None or not known.resources:
        yield request(call, action, "*")
        return
    tags = request_tags(call.under("tags"))
    if arn := call.one("resourceArn"):
        yield request(call, action, arn, tags)
    elif name := call.one("logGroupName"):
        group = facts.arn("logs:log-group", name, account.place)
        yield request(call, action, f"{group}:*", tags)
        if tags and call.operation == "CreateLogGroup":
            yield request(call, "logs:TagResource", group, tags)
