"""Settings that keep somebody out, and what it means to turn them off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

from biomodal_deploy.plan import ResourceChange
from biomodal_deploy.plan.changes import Values, as_list, as_map
from biomodal_deploy.review.report.access import Severity, words

_HIGH, _MEDIUM, _LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW
_Safe: TypeAlias = Callable[[object], bool]


def _is_true(value: object) -> bool:
    return value is True


def _is_no_public_address(value: object) -> bool:
    return value is not True


def _is_set(value: object) -> bool:
    return value not in (None, "")


def _needs_token(value: object) -> bool:
    return value == "required"


def _is_private(value: object) -> bool:
    return value in (None, "private")


# By type: the place, when it is safe, what follows where it is not, and how much that matters.
_SETTINGS: Final[Mapping[str, tuple[tuple[str, _Safe, str, Severity], ...]]] = {
    "aws_s3_bucket_public_access_block": (
        ("block_public_acls", _is_true, "objects can be made public, one by one", _HIGH),
        ("block_public_policy", _is_true, "a policy can make the bucket public", _HIGH),
        ("ignore_public_acls", _is_true, "objects that were made public are served", _HIGH),
        ("restrict_public_buckets", _is_true, "a public policy opens it to other accounts", _HIGH),
    ),
    "aws_instance": (
        (
            "metadata_options.http_tokens",
            _needs_token,
            "a program that can be made to fetch a URL can fetch the VM's credentials (IMDSv1)",
            _MEDIUM,
        ),
        ("associate_public_ip_address", _is_no_public_address, "it gets a public address", _LOW),
    ),
    "aws_launch_template": (
        (
            "metadata_options.http_tokens",
            _needs_token,
            "a program that can be made to fetch a URL can fetch the host's credentials (IMDSv1)",
            _MEDIUM,
        ),
    ),
    "aws_s3_bucket_acl": (("acl", _is_private, "this ACL lets others in", _HIGH),),
    "aws_iam_role": (
        ("permissions_boundary", _is_set, "no boundary limits its permissions", _MEDIUM),
    ),
}
# Members of these lists give access to what they name.
_MEMBERS: Final = (
    ("aws_instance", "vpc_security_group_ids", "the rules of security group {} apply to it"),
    ("aws_iam_role", "managed_policy_arns", "the permissions of {} are its own"),
)
# One value that says who may act, by whatever name it has.
_WHO: Final = (
    ("aws_key_pair", "public_key", "another private key opens the VMs that start with it"),
    ("aws_instance", "key_name", "it accepts the key {}"),
    ("aws_instance", "iam_instance_profile", "it acts with the permissions of {}"),
    ("aws_iam_instance_profile", "role", "machines that run with it act as {}"),
)
# Where nothing was set before, the default of AWS: an absent limit was no limit then either.
_NO_LIMIT_BY_DEFAULT: Final = frozenset({"permissions_boundary"})


def turned_off(change: ResourceChange) -> Iterator[tuple[str, Severity]]:
    """Yield what a change lets in, by settings, lists and names, and how much it matters."""
    before, after = change.before or {}, change.after or {}
    for path, is_safe, meaning, severity in _SETTINGS.get(change.type, ()):
        old, new = _at(before, path), _at(after, path)
        was_safe = is_safe(old) if change.before is not None else True
        if path in _NO_LIMIT_BY_DEFAULT and change.before is None:
            continue
        if change.after is None:
            # Of a machine that goes, nothing is open any more; a block that goes opens.
            if change.type == "aws_s3_bucket_public_access_block" and was_safe:
                yield f"{path} is gone: {meaning}", severity
        elif was_safe and not is_safe(new):
            yield f"{path}: {meaning}", severity
    if change.before is None or change.after is None:
        return
    for kind, name, meaning in _MEMBERS:
        if change.type == kind:
            old_members = words(before.get(name))
            new_members = (each for each in words(after.get(name)) if each not in old_members)
            yield from ((meaning.format(each), _MEDIUM) for each in new_members)
    for kind, name, meaning in _WHO:
        if change.type == kind and before.get(name) != after.get(name) and after.get(name):
            yield f"{name}: {meaning.format(after.get(name))}", _MEDIUM


def _at(values: Values, path: str) -> object:
    """Return the value at a path; of blocks, which come as lists, the first one's."""
    value: object = values
    for part in path.split("."):
        blocks = as_list(value)
        value = as_map(blocks[0] if blocks else None).get(part)
    return value
