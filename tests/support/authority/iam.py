"""What AWS authorizes of a call to IAM."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from biomodal_deploy.iam import iam_reference
from biomodal_deploy.iam.evaluate import Request
from tests.support.authority.account import Account
from tests.support.authority.call import ApiCall
from tests.support.authority.common import request, request_tags, tags_in

_CONTEXT: Final = {
    "iam:AWSServiceName": "AWSServiceName",
    "iam:PermissionsBoundary": "PermissionsBoundary",
    "iam:PolicyARN": "PolicyArn",
}


def requests(call: ApiCall, account: Account) -> Iterator[Request]:
    """Give what AWS authorizes; creating with tags is creating and tagging."""
    action = f"iam:{call.operation}"
    tags = tags_in(call.parameters, "Tags")
    known = iam_reference.action(action)
    kinds = [use.name for use in known.resources] if known else []
    role, profile = call.one("RoleName"), call.one("InstanceProfileName")
    arns = []
    if role and "role" in kinds:
        arns.append(account.role_arn(role))
    if service := call.one("AWSServiceName"):
        arns.append(account.linked_role_arn(service, call.one("CustomSuffix")))
    if task := call.one("DeletionTaskId"):
        # IAM API reference: task/aws-service-role/SERVICE/ROLE/UUID. The role may be gone.
        path = task.removeprefix("task/").rpartition("/")[0]
        arns.append(iam_reference.arn("iam:role", path, account.place))
    if profile and "instance-profile" in kinds:
        arns.append(iam_reference.arn("iam:instance-profile", profile, account.place))
    named = {
        key: (value,)
        for key, parameter in _CONTEXT.items()
        if (value := call.one(parameter)) is not None
    }
    # AWS compares what the role is bound by, except where the call itself says what binds it.
    bound = account.boundary(role) if role else None
    if bound and "iam:PermissionsBoundary" not in named:
        named["iam:PermissionsBoundary"] = (bound,)
    for arn in arns or ["*"]:
        yield request(call, action, arn, request_tags(tags) | named)
        if tags and call.operation.startswith("Create"):
            tagging = f"iam:Tag{call.operation.removeprefix('Create')}"
            yield request(call, tagging, arn, request_tags(tags))
    if call.operation == "AddRoleToInstanceProfile" and role:
        # IAM API reference: "the caller of this operation must be granted the PassRole permission".
        context = {"iam:PassedToService": ("ec2.amazonaws.com",)}
        yield request(call, "iam:PassRole", account.role_arn(role), context)
