"""The least policy of who plans and applies against a state in S3.

Source: Terraform, "Backend Type: s3", section "Permissions Required", and what Terraform was seen
to ask for (tests/engine/test_state_bucket.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pydantic import JsonValue

from biomodal_deploy.iam.place import Place

_ARN: Final = re.compile(r"arn:[^:]+:kms:[^:]+:[0-9]+:(?P<resource>.+)")
Statement = dict[str, JsonValue]


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
        bucket: The bucket.
        keys: The objects that hold the states.
        kms_key_id: The key that they are encrypted with; None for Amazon S3's own.
        writes: Whether it is for who applies; a plan takes the lock and leaves the state alone.
    """
    arn = f"arn:{place.partition}:s3:::{bucket}"
    locks = [f"{key}.tflock" for key in keys]
    statements: list[JsonValue] = [
        # S3 tells "not there yet" from "forbidden" only to who may list what is asked for.
        {
            "Sid": "FindState",
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": arn,
            "Condition": {"StringEquals": {"s3:prefix": [*keys, *locks]}},
        },
        _allow("ReadAndWriteState", ["s3:GetObject", "s3:PutObject"], _objects(arn, keys))
        if writes
        else _allow("ReadState", ["s3:GetObject"], _objects(arn, keys)),
        _allow(
            "TakeAndReleaseLock",
            ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            _objects(arn, locks),
        ),
    ]
    if kms_key_id:
        statements.append(_with_key(place, kms_key_id))
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(sid: str, actions: list[JsonValue], resources: list[JsonValue]) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}


def _objects(arn: str, keys: Sequence[str]) -> list[JsonValue]:
    # A key may hold a star, which in an ARN would stand for every other key.
    return [f"{arn}/{key.replace('*', '${*}')}" for key in keys]


def _with_key(place: Place, key: str) -> Statement:
    found = _ARN.fullmatch(key)
    resource = found["resource"] if found else key if key.startswith("alias/") else f"key/{key}"
    through: dict[str, JsonValue] = {
        "StringEquals": {"kms:ViaService": list(place.principals(f"s3.{place.region}"))}
    }
    if resource.startswith("alias/"):
        # IAM knows keys, not aliases: any key, as long as it has this one.
        through["ForAnyValue:StringEquals"] = {"kms:ResourceAliases": resource}
        resource = "key/*"
    here = f"arn:{place.partition}:kms:{place.region}:{place.account}"
    prefix = key.rpartition(":")[0] if found else here
    return {
        "Sid": "UseKeyThroughS3",
        "Effect": "Allow",
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": f"{prefix}:{resource}",
        "Condition": through,
    }
