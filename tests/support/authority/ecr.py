"""What AWS authorizes of a call to ECR."""

from __future__ import annotations

from collections.abc import Iterator

from biomodal_deploy.iam import facts
from biomodal_deploy.iam.evaluate import Request
from tests.support.authority.account import Account
from tests.support.authority.call import ApiCall
from tests.support.authority.common import request, request_tags, tags_in


def requests(call: ApiCall, account: Account) -> Iterator[Request]:
    """Give what AWS authorizes; creating with tags is creating and tagging."""
    action = f"ecr:{call.operation}"
    tags = tags_in(call.parameters, "tags")
    names = call.each("repositoryName") or call.each("repositoryNames") or ["*"]
    arns = call.each("resourceArn") or [
        facts.arn("ecr:repository", name, account.place) for name in names
    ]
    for arn in arns:
        yield request(call, action, arn, request_tags(tags))
        if tags and call.operation == "CreateRepository":
            yield request(call, "ecr:TagResource", arn, request_tags(tags))
