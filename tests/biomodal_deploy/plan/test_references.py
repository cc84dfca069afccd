"""Tests for biomodal_deploy.plan.references."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.plans import plan, resource


def configured(name: str, *references: str, kind: str = "aws_x") -> dict[str, Any]:
    """Return a resource block whose one argument mentions others."""
    mode = "data" if name.startswith("data_") else "managed"
    expressions = {"a": [{"b": {"references": list(references)}}]} if references else {}
    return {"mode": mode, "type": kind, "name": name, "expressions": expressions}


ROOT: dict[str, Any] = {
    "resources": [
        configured("one", "aws_x.two.id", "aws_x.two", "each.key", "var.who"),
        configured("two", 'aws_x.keyed["a.b"].id', "data.aws_x.data_read.id", "local.x"),
        configured("keyed"),
        configured("data_read"),
        configured("outside", "module.m.given", "module.m"),
        configured("self", "aws_x.self"),
    ],
    "module_calls": {
        "m": {
            "expressions": {"who": {"references": ["aws_x.one.id", "aws_x.one"]}},
            "module": {
                "resources": [configured("inner", "var.who")],
                "variables": {"who": {}},
                "outputs": {"given": {"expression": {"references": ["aws_x.inner.id"]}}},
            },
        }
    },
}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("aws_x.one", ("aws_x.two",)),
        ("aws_x.two", ("aws_x.keyed", "data.aws_x.data_read")),
        ('aws_x.two["k"]', ("aws_x.keyed", "data.aws_x.data_read")),
        ("aws_x.self", ()),
        ("aws_x.outside", ("module.m.aws_x.inner",)),
        ("module.m.aws_x.inner", ("aws_x.one",)),
        ("module.m[0].aws_x.inner", ("aws_x.one",)),
        ("aws_x.unheard_of", ()),
    ],
)
def test_what_a_resource_refers_to(address: str, expected: tuple[str, ...]) -> None:
    """Resources and data sources, through variables and outputs, and never itself."""
    found = plan(resource(address), configuration={"root_module": ROOT})
    assert found.resource_changes[0].refers_to == expected


def test_provisioners_are_known_in_every_module() -> None:
    """Of each instance, whatever its keys."""
    block = {**configured("y"), "provisioners": [{"type": "local-exec", "expressions": {}}]}
    root = {"module_calls": {"m": {"module": {"resources": [block]}}}}
    found = plan(resource('module.m[0].aws_x.y["k"]'), configuration={"root_module": root})
    assert found.resource_changes[0].provisioners == ("local-exec",)


def test_a_circle_ends() -> None:
    """A document that refers in a circle is read all the same."""
    root = {
        "module_calls": {
            "m": {
                "expressions": {"v": {"references": ["module.m.o"]}},
                "module": {"outputs": {"o": {"expression": {"references": ["var.v"]}}}},
            }
        },
        "resources": [configured("y", "module.m.o")],
    }
    found = plan(resource("aws_x.y"), configuration={"root_module": root})
    assert found.resource_changes[0].refers_to == ()
