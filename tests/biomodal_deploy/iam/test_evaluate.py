"""Tests of `biomodal_deploy.iam.evaluate`, against IAM's documented logic."""

from __future__ import annotations

from typing import Any

import pytest

from biomodal_deploy.iam.evaluate import Decision, Request, decide
from biomodal_deploy.iam.language import parse_policy

BUCKET = "arn:aws:s3:::data"


def decision(
    *statements: dict[str, Any],
    action: str = "s3:GetObject",
    resource: str = f"{BUCKET}/key",
    complete: bool = True,
    **context: Any,
) -> Decision:
    """Judge a request under statements; context keys come with underscores for colons."""
    policy = parse_policy({"Statement": [{"Effect": "Allow", **each} for each in statements]})
    values = {
        key.replace("__", "/").replace("_", ":", 1): tuple(
            [value] if isinstance(value, str) else value
        )
        for key, value in context.items()
    }
    return decide(
        [policy], Request(action=action, resource=resource, context=values, complete=complete)
    )


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ({"Action": "s3:GetObject", "Resource": f"{BUCKET}/*"}, True),
        ({"Action": "S3:getobject", "Resource": "*"}, True),
        ({"Action": ["s3:Put*", "s3:Get*"], "Resource": "*"}, True),
        ({"Action": "s3:GetObjec?", "Resource": "*"}, True),
        ({"Action": "*", "Resource": "*"}, True),
        ({"Action": "s3:GetObject", "Resource": BUCKET}, False),
        ({"Action": "s3:GetObject", "Resource": f"{BUCKET.upper()}/*"}, False),
        ({"Action": "s3:PutObject", "Resource": "*"}, False),
        ({"NotAction": "s3:PutObject", "Resource": "*"}, True),
        ({"NotAction": "s3:*", "Resource": "*"}, False),
        ({"Action": "s3:GetObject", "NotResource": "arn:aws:s3:::other/*"}, True),
        ({"Action": "s3:GetObject", "NotResource": f"{BUCKET}/*"}, False),
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::${Bucket}/*"}, False),
    ],
)
def test_actions_and_resources(statement: dict[str, Any], allowed: bool) -> None:
    """A statement speaks of an action in any case, on a resource in exactly this one."""
    assert decision(statement).allowed is allowed


def test_a_denial_wins() -> None:
    """An explicit Deny beats every Allow, and is named."""
    allow = {"Action": "*", "Resource": "*"}
    deny = {"Sid": "No", "Effect": "Deny", "Action": "s3:Get*", "Resource": "*"}
    judged = decision(allow, deny)
    assert not judged.allowed
    assert judged.by
    assert judged.by.sid == "No"


@pytest.mark.parametrize(
    ("operator", "expected", "actual", "holds"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", ["b", "a"], "a", True),
        ("StringEquals", "A", "a", False),
        ("StringEquals", "*", "a", False),
        ("StringEqualsIgnoreCase", "A", "a", True),
        ("StringLike", "a*", "abc", True),
        ("StringLike", "*", (), False),
        ("StringNotEquals", "a", "b", True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", "a", (), True),
        ("StringEqualsIfExists", "a", (), True),
        ("StringEqualsIfExists", "a", "b", False),
        ("Bool", "true", "true", True),
        ("Bool", True, "true", True),
        ("Bool", "true", "false", False),
        ("Null", "true", (), True),
        ("Null", "false", (), False),
        ("Null", "false", "a", True),
        ("ArnEquals", "arn:aws:ec2:*:1:vpc/*", "arn:aws:ec2:eu-west-2:1:vpc/v", True),
        ("ArnLike", "arn:aws:ec2:*:vpc/v", "arn:aws:ec2:eu-west-2:1:vpc/v", False),
        ("ArnNotLike", "arn:aws:ec2:*:1:vpc/*", "arn:aws:ec2:eu-west-2:1:vpc/v", False),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a"], ["a", "b"], False),
        ("ForAllValues:StringEquals", ["a"], (), True),
        ("ForAnyValue:StringEquals", ["a"], ["a", "b"], True),
        ("ForAnyValue:StringEquals", ["a"], (), False),
        ("ForAnyValue:StringNotEquals", ["a"], ["a", "b"], True),
        ("ForAnyValue:StringNotEquals", ["a"], ["a"], False),
        ("ForAnyValue:StringNotEquals", ["a"], (), False),
        ("ForAllValues:StringNotEquals", ["a"], ["a", "b"], False),
    ],
)
def test_conditions(operator: str, expected: Any, actual: Any, holds: bool) -> None:
    """Operators compare as IAM's user guide says, a missing key included."""
    statement = {"Action": "*", "Resource": "*", "Condition": {operator: {"aws:Key": expected}}}
    assert decision(statement, aws_key=actual).allowed is holds


def test_all_conditions_have_to_hold() -> None:
    """Operators and keys are joined by and, the values of a key by or."""
    condition = {"StringEquals": {"aws:A": ["1", "2"], "aws:B": "3"}, "Bool": {"aws:C": "true"}}
    statement = {"Action": "*", "Resource": "*", "Condition": condition}
    assert decision(statement, aws_a="2", aws_b="3", aws_c="true").allowed
    assert not decision(statement, aws_a="2", aws_b="3", aws_c="false").allowed
    assert not decision(statement, aws_a="2", aws_b="4", aws_c="true").allowed


def test_what_nobody_knows_is_neither_yes_nor_no() -> None:
    """A condition on an unknown key may allow, and the decision says on what it depends."""
    condition = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
    limited = {"Action": "*", "Resource": "*", "Condition": condition}
    judged = decision(limited, complete=False)
    assert (judged.allowed, judged.certain, judged.depends_on) == (True, False, ("aws:SourceIp",))
    free = {"Action": "s3:*", "Resource": "*"}
    assert decision(limited, free, complete=False).certain
    denied = decision(free, {**limited, "Effect": "Deny"}, complete=False)
    assert (denied.allowed, denied.depends_on) == (True, ("aws:SourceIp",))


@pytest.mark.parametrize("operator", ["Null", "StringEquals", "StringNotEquals"])
def test_a_condition_without_values(operator: str) -> None:
    """No value at all is neither yes nor no, and no crash."""
    key: dict[str, list[str]] = {"aws:SecureTransport": []}
    statement = {"Action": "*", "Resource": "*", "Condition": {operator: key}}
    judged = decision(statement, aws_SecureTransport="true")
    assert (judged.allowed, judged.certain) == (True, False)


def test_policy_variables() -> None:
    """IAM's own variables take the request's values, and match nothing without one."""
    statement = {"Action": "*", "Resource": "arn:aws:s3:::data/${aws:username}/*"}
    own = "arn:aws:s3:::data/ada/x"
    assert decision(statement, resource=own, aws_username="ada").allowed
    assert not decision(statement, resource=own, aws_username="eve").allowed
    assert not decision(statement, resource=own).allowed
    escaped = {"Action": "*", "Resource": "arn:aws:s3:::data/${*}"}
    assert decision(escaped, resource="arn:aws:s3:::data/*").allowed
