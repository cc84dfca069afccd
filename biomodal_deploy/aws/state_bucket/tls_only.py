"""The part of a bucket's policy that keeps everything without TLS out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress

from pydantic import JsonValue, ValidationError

from biomodal_deploy.iam.evaluate import Request, decide
from biomodal_deploy.iam.language import PolicyText, parse_policy


def tls_only(arn: str) -> dict[str, JsonValue]:
    """Return the statement that refuses what comes to a bucket without TLS."""
    return {
        "Sid": "RefusePlainHttp",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def refuses_plain_http(policy: str, arn: str) -> bool:
    """Say whether a bucket's policy lets nobody read, write or list without TLS.

    Args:
        policy: The policy's text.
        arn: The bucket's ARN.
    """
    denials = list(_denials_to_all(policy))
    asked = (("s3:GetObject", f"{arn}/key"), ("s3:PutObject", f"{arn}/key"), ("s3:ListBucket", arn))
    return all(_refused(denials, *each) for each in asked)


def _denials_to_all(text: str) -> Iterator[PolicyText]:
    """Give the statements of a bucket's policy that deny something to everyone."""
    found = json.loads(text).get("Statement", [])
    for each in found if isinstance(found, list) else [found]:
        statement = dict(each)
        if statement.pop("Principal", None) not in ("*", {"AWS": "*"}, {"AWS": ["*"]}):
            continue
        if statement.get("Effect") == "Deny":
            with suppress(ValidationError):  # whom it names, or what, is not read here
                yield parse_policy({"Statement": [statement]})


def _refused(denials: Sequence[PolicyText], action: str, resource: str) -> bool:
    plain = Request(
        action=action,
        resource=resource,
        context={"aws:SecureTransport": ("false",)},
        complete=True,
    )
    decision = decide(denials, plain)
    return decision.by is not None and decision.by.effect == "Deny"
