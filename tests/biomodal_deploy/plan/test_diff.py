"""Tests for biomodal_deploy.plan.diff."""

from __future__ import annotations

import json
from typing import Any

import pytest

from biomodal_deploy.plan.diff import differences, spell
from biomodal_deploy.plan.redactor import UNKNOWN, mask


def found(before: Any, after: Any) -> list[tuple[str, Any, Any]]:
    """Return the differences with their paths spelled."""
    return [(spell(each.path), each.before, each.after) for each in differences(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("a", 1, 2)]),
        ({"a": None}, {}, []),
        ({"a": 1}, {"a": True}, [("a", 1, True)]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [("a.c", 2, 3)]),
        ({"a": [1, 2]}, {"a": [1, 3]}, [("a[1]", 2, 3)]),
        ({"a": [1, 2]}, {"a": [2, 1]}, [("a", [1, 2], [2, 1])]),
        ({"a": [2]}, {"a": [1, 2]}, [("a[0]", None, 1)]),
        ({"a": [1, 2, 3]}, {"a": [2]}, [("a[0]", 1, None), ("a[2]", 3, None)]),
        ({"a": [{"x": 1, "y": 1}]}, {"a": [{"x": 1, "y": 2}]}, [("a[0].y", 1, 2)]),
        ({"a": "x"}, {"a": ["x"]}, [("a", "x", ["x"])]),
        ({"tags": {"a b": 1}}, {"tags": {"a b": 2}}, [('tags["a b"]', 1, 2)]),
    ],
)
def test_the_smallest_places_are_named(before: Any, after: Any, expected: Any) -> None:
    """Maps by key, lists by element, everything else by value."""
    assert found(before, after) == expected


def test_one_new_rule_is_one_difference() -> None:
    """A set comes as a sorted list, and the new element shifts all others."""
    old = [{"port": port} for port in (22, 443, 8080)]
    new = [{"port": port} for port in (22, 80, 443, 8080)]
    assert found({"ingress": old}, {"ingress": new}) == [("ingress[1]", None, {"port": 80})]


def test_a_policy_is_compared_as_a_document() -> None:
    """Order of keys and white space do not drown the statement that changed."""
    old = {"Version": "2012-10-17", "Statement": [{"Action": ["s3:Get*"], "Effect": "Allow"}]}
    new = {
        "Statement": [{"Effect": "Allow", "Action": ["s3:Get*", "s3:*"]}],
        "Version": old["Version"],
    }
    assert found({"policy": json.dumps(old)}, {"policy": json.dumps(new, indent=1)}) == [
        ("policy.Statement[0].Action[1]", None, "s3:*")
    ]


def test_a_change_of_a_secret_is_seen() -> None:
    """Although both sides show the same words."""
    old, new = mask({"p": "one"}, {"p": True}), mask({"p": "two"}, {"p": True})
    assert [path for path, _, _ in found(old, new)] == ["p"]
    assert found(old, mask({"p": "one"}, {"p": True})) == []


def test_what_is_unknown_always_differs() -> None:
    """Nobody knows yet that it stays the same."""
    assert found({"id": "i-1"}, {"id": UNKNOWN}) == [("id", "i-1", UNKNOWN)]


def test_very_long_lists_are_compared_as_a_whole() -> None:
    """Matching each with each would take minutes."""
    old, new = list(range(3000)), list(range(1, 3001))
    assert found({"a": old}, {"a": new}) == [("a", old, new)]
