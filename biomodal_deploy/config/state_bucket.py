"""A bucket that keeps states: its settings, its name, and the name of its own stack.

Sources: Amazon S3 user guide, "General purpose bucket naming rules"; AWS KMS developer guide,
"Key identifiers (KeyId)".
"""

from __future__ import annotations

import hashlib
import re
from ipaddress import IPv4Address
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints

from biomodal_deploy.config.backends import Frozen
from biomodal_deploy.config.contract import aws

_NAME: Final = re.compile(aws.BUCKET)
_KMS_KEY: Final = (
    rf"^(arn:aws[a-z-]*:kms:[a-z0-9-]+:{aws.ACCOUNT}:(key/{aws.KMS_KEY_ID}|alias/[A-Za-z0-9/_-]+)"
    rf"|{aws.KMS_KEY_ID}|alias/[A-Za-z0-9/_-]+)$"
)
PATTERNS: Final = {
    _KMS_KEY: "A KMS key is written as its id, its ARN, or its alias (alias/NAME)",
}
STACK_PREFIX: Final = "state-bucket-"
_LONGEST_STACK: Final = 63


def name_problem(name: str) -> str | None:
    """Return the rule that a new bucket's name breaks, or None."""
    if not _NAME.fullmatch(name):
        return (
            "A bucket's name has 3 to 63 lower-case letters, digits and hyphens, and a letter or "
            "digit at both ends"
        )
    if "." in name:
        # AWS's certificate is for one label: over TLS, such a name is reached by detours only.
        kind = "is an IP address" if _is_address(name) else "has a dot"
        return f"The name {kind}, which AWS advises against: TLS to it cannot be verified"
    return aws.bucket_name_problem(name)


def kms_key_problem(key: str) -> str | None:
    """Return the rule that the name of a KMS key breaks, or None."""
    return None if re.fullmatch(_KMS_KEY, key) else PATTERNS[_KMS_KEY]


def stack_of(bucket: str) -> str:
    """Return the name of the stack that makes a bucket, where cdktf.json has none.

    Two buckets never share one.
    """
    name = STACK_PREFIX + re.sub("-+", "-", bucket.replace(".", "-"))
    if name.removeprefix(STACK_PREFIX) == bucket and len(name) <= _LONGEST_STACK:
        return name
    digest = hashlib.sha256(bucket.encode()).hexdigest()[:8]
    return f"{name[: _LONGEST_STACK - 9].rstrip('-')}-{digest}"


def _nameable(name: str) -> str:
    if problem := name_problem(name):
        raise ValueError(problem)
    return name


class StateBucket(Frozen):
    """A bucket for states.

    Attributes:
        bucket: Its name.
        kms_key_id: The KMS key that it encrypts with by default; Amazon S3's own where None.
        keep_days: For how many days former versions of a state are kept.
        tags: Its tags.
    """

    bucket: Annotated[str, AfterValidator(_nameable)]
    kms_key_id: Annotated[str, StringConstraints(pattern=_KMS_KEY)] | None = None
    keep_days: Annotated[int, Field(ge=1, le=3650)] = 90
    tags: dict[
        Annotated[str, StringConstraints(min_length=1, max_length=128)],
        Annotated[str, StringConstraints(max_length=256)],
    ] = Field(default_factory=dict)


def _is_address(name: str) -> bool:
    # Only here: every synthesis reads these settings, and hardly any has a dot in a name.

    try:
        IPv4Address(name)
    except ValueError:
        return False
    return True
