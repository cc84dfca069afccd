"""What AWS authorizes of a call to AWS Batch."""

from __future__ import annotations

from collections.abc import Iterator

from biomodal_deploy.iam import iam_reference
from biomodal_deploy.iam.evaluate import Request
from tests.support.authority.account import Account
from tests.support.authority.call import ApiCall
from tests.support.authority.common import request, request_tags


def requests(call: ApiCall, account: Account) -> Iterator[Request]:
    """Give what AWS authorizes; creating with tags is creating and tagging."""
    action = f"batch:{call.operation}"
    known = iam_reference.action(action)
    if known is None or not known.resources:
        yield request(call, action, "*")
        return
    tags = call.under("tags") if call.operation != "UntagResource" else {}
    own, others = _resources(call, account)
    for arn in [*own, *others]:
        yield request(call, action, arn, request_tags(tags))
    if tags and call.operation.startswith("Create"):
        for arn in own:
            yield request(call, "batch:TagResource", arn, request_tags(tags))
    yield from _passing(call, account)


def _resources(call: ApiCall, account: Account) -> tuple[list[str], list[str]]:
    """Return what the call is about, and the compute environments that it puts into a queue."""
    if arn := call.one("resourceArn"):
        return [arn], []
    own = []
    if name := call.one("computeEnvironmentName", "computeEnvironment"):
        own = [_arn("compute-environment", name, account)]
    if name := call.one("jobQueueName", "jobQueue"):
        own = [_arn("job-queue", name, account)]
    order = call.under("computeEnvironmentOrder")
    return own, [value for key, value in order.items() if key.endswith(".computeEnvironment")]


def _arn(kind: str, name: str, account: Account) -> str:
    return (
        name if name.startswith("arn:") else iam_reference.arn(f"batch:{kind}", name, account.place)
    )


def _passing(call: ApiCall, account: Account) -> Iterator[Request]:
    """Give the roles that a compute environment hands on."""
    to_batch = {"iam:PassedToService": ("batch.amazonaws.com",)}
    if service_role := call.one("serviceRole"):
        yield request(call, "iam:PassRole", service_role, to_batch)
    if profile := call.one("computeResources.instanceRole"):
        for role in account.profile_roles(profile):
            yield request(call, "iam:PassRole", role, to_batch)
