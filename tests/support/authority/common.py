"""What the services' modules share."""

from __future__ import annotations

from collections.abc import Mapping

from biomodal_deploy.iam.evaluate import Request
from tests.support.authority.call import ApiCall

Context = dict[str, tuple[str, ...]]


class UnknownCallError(Exception):
    """AWS would authorize this call, and nobody wrote down how."""


def request(
    call: ApiCall, action: str, resource: str, context: Mapping[str, tuple[str, ...]] | None = None
) -> Request:
    """Return a request whose context is all that AWS would fill in."""
    everywhere: Context = {"aws:RequestedRegion": (call.region,)}
    return Request(
        action=action, resource=resource, context={**everywhere, **(context or {})}, complete=True
    )


def request_tags(tags: Mapping[str, str]) -> Context:
    """Return the condition keys for the tags that a call sets."""
    context: Context = {f"aws:RequestTag/{key}": (value,) for key, value in tags.items()}
    return context | {"aws:TagKeys": tuple(tags)} if tags else {}


def resource_tags(tags: Mapping[str, str]) -> Context:
    """Return the condition keys for the tags that a resource has."""
    return {f"aws:ResourceTag/{key}": (value,) for key, value in tags.items()}


def tags_in(parameters: Mapping[str, str], name: str) -> dict[str, str]:
    """Return a list of tags (`Tags.1.Key`, `Tags.1.Value`) as a table."""
    prefix = f"{name}."
    numbers = {
        key.removeprefix(prefix).partition(".")[0] for key in parameters if key.startswith(prefix)
    }
    return {
        parameters[f"{prefix}{number}.Key"]: parameters.get(f"{prefix}{number}.Value", "")
        for number in numbers
        if f"{prefix}{number}.Key" in parameters
    }
