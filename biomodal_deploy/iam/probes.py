"""Needs as requests: what AWS will be asked for, and what it must not allow besides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Final

from biomodal_deploy.iam import Place, iam_reference
from biomodal_deploy.iam.evaluate import Request
from biomodal_deploy.iam.needs import Need

# Stands for an id that AWS will assign, and for a value that nobody has chosen.
_SAMPLE: Final = "0sample"
_OTHER: Final = "0other"

# How EC2 begins its ids: policies say `instance/i-*` as well as `instance/*`.
_EC2_IDS: Final = {
    "elastic-ip": "eipalloc-",
    "image": "ami-",
    "instance": "i-",
    "launch-template": "lt-",
    "network-interface": "eni-",
    "security-group": "sg-",
    "security-group-rule": "sgr-",
    "volume": "vol-",
}
_EC2_ANY: Final = re.compile(r"(arn:[^:]*:ec2:[^:]*:[^:]*:)([^/]+)/\*")

# The name in an ARN, where it is one: behind the type, and for S3 before the object.
_NAME: Final = re.compile(
    r"(?P<before>arn:[^:]*:(?:s3:::|[^:]*:[^:]*:[^:]*:[^/:]*[/:]))(?P<name>[^*/]+)(?P<after>\*?(/\*)?)$"
)

_Context = dict[str, tuple[str, ...]]


def wanted(need: Need, place: Place) -> Iterator[Request]:
    """Give the requests that have to be allowed for a need."""
    context = _around(need, place, need.tags)
    choices = [
        [(key, value) for value in values]
        for keys in need.condition.values()
        for key, values in keys.items()
    ]
    for resource in need.resources:
        for chosen in product(*choices):
            met: _Context = {key: (_concrete(value),) for key, value in chosen}
            yield Request(
                action=need.action, resource=_concrete(resource), context={**context, **met}
            )


def foreign(need: Need, place: Place) -> Iterator[Request]:
    """Give requests for somebody else's things, which a policy for this stack need not allow."""
    # Somebody else's thing has none of our tags, and lies in another VPC or whatever it is.
    context = {
        key: () if "Tag/" in key else v for key, v in _around(need, place, need.tags).items()
    }
    unmet: _Context = {
        key: () if "Tag/" in key else (_OTHER,) for keys in need.condition.values() for key in keys
    }
    for resource in need.resources:
        other = _NAME.sub(rf"\g<before>{_OTHER}\g<after>", resource)
        if other != resource or unmet:
            yield Request(
                action=need.action, resource=_concrete(other), context={**context, **unmet}
            )


def _around(need: Need, place: Place, tags: Mapping[str, str]) -> _Context:
    """Return what a request says beside the need's own conditions."""
    context: _Context = {
        "aws:PrincipalAccount": (place.account,),
        "aws:RequestedRegion": (place.region,),
        "aws:ResourceAccount": (place.account,),
        "aws:SecureTransport": ("true",),
    }
    action = iam_reference.action(need.action)
    for key, value in tags.items():
        for name in (f"aws:ResourceTag/{key}", f"aws:RequestTag/{key}", f"ec2:ResourceTag/{key}"):
            if action and action.condition_key_known(name):
                context[name] = (value,)
    if tags and action and action.condition_key_known("aws:TagKeys"):
        context["aws:TagKeys"] = tuple(tags)
    # Tags that change later are set by a call of their own, not by the one that creates.
    if need.action == "ec2:CreateTags":
        context["ec2:CreateAction"] = ()
    return context


def _concrete(text: str) -> str:
    any_id = _EC2_ANY.fullmatch(text)
    if any_id:
        return f"{any_id[1]}{any_id[2]}/{_EC2_IDS.get(any_id[2], '')}{_SAMPLE}"
    return text.replace("*", _SAMPLE).replace("?", "0")
