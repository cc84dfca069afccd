"""From a call to what AWS authorizes: one request for each resource and each dependent action.

AWS's reference says on which types of resource an action is judged and which condition keys it
fills in; the call says which resources those are. What the reference requires and the call does
not name is what the call creates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from biomodal_deploy.iam import iam_reference
from biomodal_deploy.iam.evaluate import Request
from tests.support.authority import batch, ec2, iam, kms, s3, services
from tests.support.authority.account import Account
from tests.support.authority.call import ApiCall
from tests.support.authority.common import UnknownCallError

_SERVICES: Final[dict[str, Callable[[ApiCall, Account], Iterator[Request]]]] = {
    "batch": batch.requests,
    "budgets": services.budgets,
    "ec2": ec2.requests,
    "ecr": services.ecr,
    "iam": iam.requests,
    "kms": kms.requests,
    "logs": services.logs,
    "monitoring": services.cloudwatch,
    "s3": s3.requests,
}


def requests_of(call: ApiCall, account: Account) -> list[Request]:
    """Return all that AWS authorizes of a call; nothing for a call that needs no permission."""
    if (call.service, call.operation) == ("sts", "GetCallerIdentity"):
        return []
    service = _SERVICES.get(call.service)
    if service is None or not call.operation:
        raise UnknownCallError(f"{call.service}:{call.operation or '?'}")
    found = [_as_aws_fills_in(request) for request in service(call, account)]
    for request in found:
        if iam_reference.action(request.action) is None:
            raise UnknownCallError(f"{request.action} is no IAM action")
    missing = _missing(found)
    if not found or missing:
        raise UnknownCallError(f"{call.service}:{call.operation} on {', '.join(missing)}")
    return found


def _as_aws_fills_in(request: Request) -> Request:
    """Return a request with those condition keys that AWS fills in for it, and no others."""
    action = iam_reference.action(request.action)
    if action is None:
        return request
    types = [
        use.name
        for use in action.resources
        if iam_reference.is_of_type(request.resource, request.action, use.name)
    ]
    context = {
        key: values
        for key, values in request.context.items()
        if any(action.condition_key_known(key, kind) for kind in types or [""])
    }
    return replace(request, context=context)


def _missing(found: list[Request]) -> list[str]:
    """Return the types that the reference requires and that no request is about."""
    missing: list[str] = []
    for name in {request.action for request in found}:
        action = iam_reference.action(name)
        arns = [request.resource for request in found if request.action == name]
        missing += (
            f"{name} {use.name}"
            for use in (action.resources if action else ())
            if use.required
            and not any(iam_reference.is_of_type(arn, name, use.name) for arn in arns)
        )
    return missing
