"""Tests for biomodal_deploy.plan.document."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from biomodal_deploy.errors import EngineError
from biomodal_deploy.plan import Plan, read_plan
from biomodal_deploy.plan.document import parse
from tests.support.plans import document, encoded, output, resource

CANARY = "canary-5f2e9a71"


def rich() -> dict[str, Any]:
    """Return a document with every part that is read."""
    secret = {"password": CANARY, "list": [{"key": CANARY}, {"open": "yes"}]}
    marks = {"password": True, "list": [{"key": True}, {}]}
    values = {
        "outputs": {"o": {"sensitive": True, "value": CANARY}},
        "root_module": {
            "resources": [{"type": "t", "values": secret, "sensitive_values": marks}],
            "child_modules": [{"resources": [], "child_modules": []}],
        },
    }
    update = resource(
        "aws_db.a",
        "update",
        secret,
        {**secret, "size": 2},
        before_sensitive=marks,
        after_sensitive=marks,
        after_unknown={"id": True},
        replace_paths=[["size"]],
        importing={"id": "i-1"},
    )
    return document(
        update,
        resource("module.m.aws_instance.b[0]", "delete", {"user_data": "#!/bin/sh"}),
        resource("aws_x.forgotten", "forget", {}),
        resource("aws_x.odd", "unknown"),
        resource_drift=[update],
        deferred_changes=[{"reason": "absent_prereq", "resource_change": update}],
        action_invocations=[{"address": "action.aws_lambda_invoke.x"}],
        output_changes={"o": output(after=CANARY, after_sensitive=True)},
        planned_values=values,
        prior_state={"values": values},
        variables={"v": {"value": CANARY}},
        configuration={
            "provider_config": {"aws": {"expressions": {"token": {"constant_value": CANARY}}}},
            "root_module": {
                "variables": {"v": {"sensitive": True, "default": CANARY}},
                "module_calls": {
                    "m": {
                        "expressions": {"p": {"constant_value": CANARY}},
                        "module": {"variables": {"p": {"sensitive": True}}},
                    }
                },
            },
        },
        checks=[
            {
                "address": {"kind": "check", "to_display": "check.c"},
                "status": "fail",
                "instances": [
                    {"address": {"to_display": "check.c"}, "problems": [{"message": "no"}]}
                ],
            }
        ],
    )


def test_keys_of_a_later_minor_version_are_tolerated() -> None:
    """Terraform adds keys within a major version."""
    later = {**rich(), "format_version": "1.99", "some_news": {"a": 1}}
    assert parse(encoded(later)).format_version == "1.99"


@pytest.mark.parametrize("version", ["0.2", "2.0", "10.1", ""])
@pytest.mark.parametrize("changes", [[], "elsewhere"], ids=["as now", "of another shape"])
def test_an_unknown_major_version_is_refused(version: str, changes: Any) -> None:
    """It may mean anything: the version is the answer even where the rest cannot be read."""
    with pytest.raises(EngineError, match=f"format version {version!r}"):
        parse(encoded({**rich(), "format_version": version, "resource_changes": changes}))


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b"\xff", b'{"a": 1}', b"[" * 5000, b'{"format_version":1}']
)
def test_what_is_no_plan_is_refused(raw: bytes) -> None:
    """Any bytes at all give a line, never a traceback."""
    with pytest.raises(EngineError, match="could not be read"):
        parse(raw)


def test_a_fault_is_named_without_quoting_the_document() -> None:
    """Neither a value nor a key of the document appears in the message."""
    broken = document(resource("a.b", "create"), variables={CANARY: CANARY})
    with pytest.raises(EngineError) as caught:
        parse(encoded(broken))
    assert "variables.*" in str(caught.value)
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of everything inside a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, item in items:
        found.append((*path, key))
        if isinstance(item, dict | list):
            found += places(item, (*path, key))
    return found


@pytest.mark.parametrize("seed", range(10))
def test_mutated_documents_never_crash(seed: int) -> None:
    """Fifty mutated documents a seed: each is read, or refused in a line."""
    chance = random.Random(seed)
    odd: list[Any] = [None, True, 7, -1.5, "", "x", [], {}, [[]], {"a": [None]}, ["delete"], 10**30]
    read = 0
    for _ in range(50):
        mutated = rich()
        for _ in range(chance.randint(1, 3)):
            path = chance.choice(places(mutated))
            parent = mutated
            for key in path[:-1]:
                parent = parent[key]
            if chance.random() < 0.3:
                del parent[path[-1]]
            else:
                parent[path[-1]] = chance.choice(odd)
        try:
            plan = read_plan(json.dumps(mutated).encode())[0]
        except EngineError:
            continue
        assert Plan.from_changes(plan.to_changes()) == plan
        assert plan.counts.sentence()
        assert isinstance(plan.has_changes, bool)
        assert all(isinstance(change.attributes, tuple) for change in plan.resource_changes)
        read += 1
    assert read > 5
