"""The least policy of who plans and applies against a state in S3.

Source: Terraform, "Backend Type: s3", section "Permissions Required", and what Terraform was seen
to ask for (tests/engine/test_state_bucket.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pydantic import JsonValue

from biomodal_deploy.iam.language import Statement, allow, document_of
from biomodal_deploy.iam.place import Place

_ARN: Final = re.compile(r"arn:[^:]+:kms:[^:]+:[0-9]+:(?P<resource>.+)")


def state_policy(
    place: Place,
    bucket: str,
    keys: Sequence[str],
    kms_key_id: str | None = None,
    *,
    writes: bool = True,
) -> dict[str, JsonValue]:
    """Return the policy.

    Args:
        place: Where the bucket is; its account is the KMS key's where that is no ARN.
        keys: The objects that hold the states.
        kms_key_id: The key that they are encrypted with; None for Amazon S3's own.
        writes: Whether it is for who applies; a plan takes the lock and leaves the state alone.
    """
    arn = f"arn:{place.partition}:s3:::{bucket}"
    locks = [f"{key}.tflock" for key in keys]
    reads, writes_too = ["s3:GetObject"], ["s3:GetObject", "s3:PutObject"]
    states = ("ReadAndWriteState", writes_too) if writes else ("ReadState", reads)
    statements = [
        # S3 tells "not there yet" from "forbidden" only to who may list what is asked for.
        allow(
            "FindState",
            ["s3:ListBucket"],
            [arn],
            {"StringEquals": {"s3:prefix": [*keys, *locks]}},
        ),
        allow(*states, _objects(arn, keys)),
        allow("TakeAndReleaseLock", [*writes_too, "s3:DeleteObject"], _objects(arn, locks)),
    ]
    if kms_key_id:
        statements.append(_with_key(place, kms_key_id))
    return document_of(statements)


def _objects(arn: str, keys: Sequence[str]) -> list[str]:
    # A key may hold a star, which in an ARN would stand for every other key.
    return [f"{arn}/{key.replace('*', '${*}')}" for key in keys]


def _with_key(place: Place, key: str) -> Statement:
    found = _ARN.fullmatch(key)
    resource = found["resource"] if found else key if key.startswith("alias/") else f"key/{key}"
    through = {"StringEquals": {"kms:ViaService": place.principals(f"s3.{place.region}")}}
    if resource.startswith("alias/"):
        # IAM knows keys, not aliases: any key, as long as it has this one.
        through["ForAnyValue:StringEquals"] = {"kms:ResourceAliases": (resource,)}
        resource = "key/*"
    here = f"arn:{place.partition}:kms:{place.region}:{place.account}"
    prefix = key.rpartition(":")[0] if found else here
    actions = ["kms:Decrypt", "kms:GenerateDataKey"]
    return allow("UseKeyThroughS3", actions, [f"{prefix}:{resource}"], through)
