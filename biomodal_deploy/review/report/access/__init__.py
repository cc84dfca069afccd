"""Who gains and who loses access by a plan, element by element.

Here stand the readers of redacted values that the modules share, and whose access it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from biomodal_deploy.plan import HIDDEN_TEXT, ResourceChange
from biomodal_deploy.plan.changes import Values, as_list, as_map
from biomodal_deploy.plan.redactor import UNKNOWN_TEXT


class Severity(StrEnum):
    """How much a gain of access matters to whoever approves it.

    HIGH: the internet gets in, or somebody may do everything. MEDIUM: somebody may do more than
    before. LOW: traffic that goes out or stays in private networks, and roles for AWS's services.
    """

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


def words(value: object) -> tuple[str, ...]:
    """Return the items of a list as text."""
    return tuple(str(item) for item in as_list(value))


def vague(text: str) -> bool:
    """Whether a text stands for a value that is hidden, or known only after the apply."""
    return HIDDEN_TEXT in text or UNKNOWN_TEXT in text


# By the attribute that names it: its type, and what people call it.
_NAMED_BY: Final = {
    "bucket": ("aws_s3_bucket", "bucket"),
    "role": ("aws_iam_role", "role"),
    "user": ("aws_iam_user", "user"),
    "group": ("aws_iam_group", "group"),
    "repository": ("aws_ecr_repository", "repository"),
    "key_id": ("aws_kms_key", "key"),
    "queue_url": ("aws_sqs_queue", "queue"),
    "function_name": ("aws_lambda_function", "function"),
    "security_group_id": ("aws_security_group", "security group"),
}
_SUBJECTS: Final = frozenset(kind for kind, _ in _NAMED_BY.values())
_ITSELF: Final = {
    "aws_iam_role": ("name", "role"),
    "aws_iam_policy": ("name", "managed policy"),
    "aws_security_group": ("name", "security group"),
    "aws_key_pair": ("key_name", "key pair"),
    "aws_instance": ("id", "VM"),
    "aws_launch_template": ("name", "launch template"),
    "aws_iam_instance_profile": ("name", "instance profile"),
}
_NAMES: Final = ("id", "arn", "name", "bucket", "url")


class Subjects:
    """What a plan destroys for good."""

    def __init__(self, changes: Iterable[ResourceChange]) -> None:
        self._gone = {
            (change.type, name)
            for change in changes
            if change.action.destroys and change.before is not None and change.after is None
            for name in map(change.before.get, _NAMES)
            if isinstance(name, str)
        }

    def die_with(self, change: ResourceChange) -> bool:
        """Whether what a destroyed setting or policy was about is destroyed as well.

        A block on public access that goes with its bucket, or a denial that goes with its role,
        lets nobody in.
        """
        if change.after is not None or change.before is None:
            return False
        if change.type in _SUBJECTS:
            return True
        before = change.before
        return any((kind, before.get(key)) in self._gone for key, (kind, _) in _NAMED_BY.items())


def subject_of(change: ResourceChange) -> str:
    """Return whose access it is, or to what: `role lab-vm`; empty where that is not known."""
    values = change.after or change.before or {}
    itself = _ITSELF.get(change.type)
    if itself:
        key, noun = itself
        name = _known(values, key) or _known(as_map(values.get("tags")), "Name")
        return f"{noun} {name or change.address}"
    for key, (kind, noun) in _NAMED_BY.items():
        if key in values:
            referred = (each for each in change.refers_to if f".{kind}." in f".{each}")
            name = _known(values, key) or next(referred, "")
            return f"{noun} {name}" if name else ""
    return ""


def _known(values: Values, key: str) -> str:
    name = values.get(key)
    return name if isinstance(name, str) and not vague(name) else ""
