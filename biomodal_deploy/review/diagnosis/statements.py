"""From a refusal of AWS's to the statement that is missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydantic import JsonValue

from biomodal_deploy.aws.errors import ACTIONS, NAMED_ACTION
from biomodal_deploy.iam import iam_reference
from biomodal_deploy.iam.evaluate import matches
from biomodal_deploy.iam.needs import Need
from biomodal_deploy.iam.permissions import StackPermissions
from biomodal_deploy.iam.policies import statements

_RESOURCE: Final = re.compile(r"on resource: \\?\"?(arn:[^\s\"\\]+|\*)")
# What else names a bucket: the provider's words, and the AWS CLI's.
_BUCKET: Final = re.compile(r"S3 Bucket \(([a-z0-9.-]+)\)|s3://([a-z0-9.-]+)")
# Of a copy from one bucket to another, what is written goes to the second.
_COPY: Final = re.compile(r"s3://\S+ to (?=s3://)")
_CALLER: Final = re.compile(r"User: (arn:[^\s\"]+)")
_ACCOUNT: Final = re.compile(r"arn:[\w-]+:(?:iam|sts)::(\d{12}):")
_OPERATION: Final = (
    re.compile(r"operation error ([A-Za-z0-9 ]+): (\w+)"),
    re.compile(r"()calling the (\w+) operation"),
)
_SERVICES: Final = {
    "s3 control": "s3",
    "cloudwatch logs": "logs",
    "cloudwatch": "cloudwatch",
    "service quotas": "servicequotas",
}
_WITHOUT_SERVICE: Final = ("s3", "ec2", "iam", "batch", "ecr", "sts", "logs", "ssm")


@dataclass(frozen=True)
class Denial:
    """What AWS refused.

    Attributes:
        resource: Its ARN, where AWS names it.
        caller: Who called, where AWS says so.
    """

    action: str
    resource: str | None = None
    caller: str | None = None

    @property
    def account(self) -> str | None:
        """The caller's account."""
        found = _ACCOUNT.match(self.caller or "")
        return found[1] if found else None


class Origin(StrEnum):
    """Where a missing statement comes from."""

    STACK_S_OWN = "stack"
    NOT_NEEDED = "not-needed"
    ERROR = "error"


@dataclass(frozen=True)
class Missing:
    """What is missing in the caller's policies.

    Attributes:
        statements: What allows it, as a policy has it.
        origin: Whether they are the stack's own, as `policy deployer` prints them; or say no
            more than the error did, because the stack does not need the action on that
            resource, or because its needs are not known here.
    """

    denial: Denial
    statements: tuple[Mapping[str, JsonValue], ...]
    origin: Origin


def denial_in(text: str) -> Denial | None:
    """Return what an error says was refused; None where it names no action."""
    action = _named_action(text)
    if action is None:
        return None
    caller = _CALLER.search(text)
    return Denial(action, _named_resource(action, text), caller[1] if caller else None)


def missing_for(denial: Denial, permissions: StackPermissions | None) -> Missing:
    """Return the statement that is missing."""
    if permissions and (needs := _needs(denial, permissions)):
        own = tuple(each.as_json() for each in statements(needs))
        return Missing(denial, own, Origin.STACK_S_OWN)
    statement: dict[str, JsonValue] = {
        "Effect": "Allow",
        "Action": denial.action,
        "Resource": denial.resource or "*",
    }
    return Missing(denial, (statement,), Origin.NOT_NEEDED if permissions else Origin.ERROR)


def _needs(denial: Denial, permissions: StackPermissions) -> list[Need]:
    """Return what the stack needs of an action on the resource that is named, or at all."""
    named = denial.resource
    needs = [
        need for need in permissions.needs.items if need.action.lower() == denial.action.lower()
    ]
    if named is None:
        return needs
    # AWS may name what does not exist yet, as the policy does: volume/*.
    return [
        need.only(each)
        for need in needs
        for each in need.resources
        if matches(each, named) or matches(named, each)
    ]


def _named_action(text: str) -> str | None:
    if named := NAMED_ACTION.search(text):
        return named[1]
    for pattern in _OPERATION:
        if found := pattern.search(text):
            service, operation = found[1].lower(), found[2]
            service = _SERVICES.get(service, service.replace(" ", ""))
            if not service:
                return _searched(operation)
            action = f"{service}:{operation}"
            return ACTIONS.get(action, action)
    return None


def _named_resource(action: str, text: str) -> str | None:
    if named := _RESOURCE.search(text):
        return named[1].rstrip(".,")
    if action.startswith("s3:Put"):
        text = _COPY.split(text)[-1]
    if action.startswith("s3:") and (bucket := _BUCKET.search(text)):
        objects = "/*" if action.endswith("Object") else ""
        return f"arn:aws:s3:::{bucket[1] or bucket[2]}{objects}"
    return None


def _searched(operation: str) -> str | None:
    """Return the action of an operation whose service the AWS CLI did not name."""
    for service in _WITHOUT_SERVICE:
        action = f"{service}:{operation}"
        action = ACTIONS.get(action, action)
        if iam_reference.action(action):
            return action
    return None
