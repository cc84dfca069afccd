"""Types read and values converted as Terraform does it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from biomodal_deploy.config.tfvars.types import ANY, Type, TypeMismatchError, convert, parse_type
from biomodal_deploy.config.tfvars.values import Value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("string", Type("string")),
        ("list", Type("list", ANY)),
        ("set(number)", Type("set", Type("number"))),
        ("map( list(bool) )", Type("map", Type("list", Type("bool")))),
        ("tuple([string, any])", Type("tuple", items=(Type("string"), ANY))),
        (
            'object({a = string, "b" : number\n c=optional(list(string), ["x)", {}])})',
            Type(
                "object",
                members={
                    "a": Type("string"),
                    "b": Type("number"),
                    "c": Type("list", Type("string")),
                },
                optional=frozenset("c"),
            ),
        ),
        ("object({})", Type("object")),
        ("${string}", ANY),
        ("frob(string)", ANY),
        ("list(string", ANY),
        ("list(string))", ANY),
        ("object({a})", ANY),
        ("list(" * 5000, ANY),
        ("", ANY),
    ],
)
def test_type_syntax(text: str, expected: Type) -> None:
    """What is understood is exact; what is not counts as any and is Terraform's to judge."""
    assert parse_type(text) == expected


@pytest.mark.parametrize(
    ("type_", "value", "expected"),
    [
        ("string", 5, "5"),
        ("string", Decimal("1.50"), "1.50"),
        ("string", True, "true"),
        ("string", "e\u0301", "é"),
        ("number", "1e2", 100),
        ("number", "+0.5", Decimal("0.5")),
        ("bool", "1", True),
        ("bool", "false", False),
        ("list(string)", [1, None, True], ["1", None, "true"]),
        ("set(string)", ["b", 1, "1", "b"], ["b", "1"]),
        ("tuple([string, number])", [1, "2"], ["1", 2]),
        ("map(number)", {"a": "1"}, {"a": 1}),
        ("object({a=string,b=optional(number)})", {"a": 1, "z": 2}, {"a": "1"}),
        ("any", [1, "a"], [1, "a"]),
        ("string", None, None),
    ],
)
def test_conversion(type_: str, value: Value, expected: Value) -> None:
    """Terraform's own conversions are allowed."""
    found = convert(value, parse_type(type_))
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("type_", "value", "message"),
    [
        ("string", [], "It must be a string"),
        ("number", "ten", "It must be a number"),
        ("number", True, "It must be a number"),
        ("number", "0x10", "It must be a number"),
        ("bool", 1, "It must be a bool"),
        ("bool", "True", "It must be a bool"),
        ("list(string)", "a", "It must be a list"),
        ("list(number)", [1, "x"], "[1] must be a number"),
        ("map(map(bool))", {"a": {"b": "c"}}, '["a"]["b"] must be a bool'),
        ("object({a=object({b=string})})", {"a": {}}, "a must have b"),
        ("object({a=object({b=string})})", {"a": {"b": []}}, "a.b must be a string"),
        ("object({a=string,b=string})", {}, "It must have a, b"),
        ("tuple([string])", [], "It must have 1 elements"),
    ],
)
def test_mismatch_says_where_and_what(type_: str, value: Value, message: str) -> None:
    """The message names the place and the type, and never the value."""
    with pytest.raises(TypeMismatchError) as info:
        convert(value, parse_type(type_))
    assert str(info.value) == message
