"""What AWS authorizes of a call to CloudWatch."""

from __future__ import annotations

from collections.abc import Iterator

from biomodal_deploy.iam import facts
from biomodal_deploy.iam.evaluate import Request
from tests.support.authority.account import Account
from tests.support.authority.call import ApiCall
from tests.support.authority.common import request, request_tags, tags_in


def requests(call: ApiCall, account: Account) -> Iterator[Request]:
    """Give what AWS authorizes; writing with tags is writing and tagging."""
    tags = request_tags(tags_in(call.parameters, "Tags"))
    # A list of alarms is judged on all of them, whichever names it asks for.
    lists = call.operation == "DescribeAlarms"
    names = ["*"] if lists else call.each("AlarmName") + call.each("AlarmNames")
    arns = call.each("ResourceARN") + [
        facts.arn("cloudwatch:alarm", name, account.place) for name in names
    ]
    for arn in arns:
        yield request(call, f"cloudwatch:{call.operation}", arn, tags)
        if tags and call.operation == "PutMetricAlarm":
            yield request(call, "cloudwatch:TagResource", arn, tags)
