"""Secrets planted in plan documents: at every marked place, and copied unmarked everywhere else."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.support.plans import document, output, resource

# How a secret may look around the word that is searched for.
SHAPES = [
    *("{}", 'quote"{}\\back', "first line\n{}\nlast line", "<{}&>", " {} \n", "ü {} 🔑"),
    *(
        "e\u0301{}",
        "\r\n{}\r\n",
        "\x1b[31m{}\x1b[0m",
        "\x00{}",
        "\u200b{}\u2028",
        "%s{}%(x)",
        "$${{{}}}",
    ),
]


@st.composite
def canaries(draw: st.DrawFn) -> tuple[str, Any]:
    """A word to search for, and a secret that holds it."""
    number = draw(st.integers(10**11, 10**12))
    if draw(st.booleans()):
        return str(number), number
    word = f"cnry{number:x}"
    return word, draw(st.sampled_from(SHAPES)).format(word)


@st.composite
def planted(draw: st.DrawFn, secret: Any, depth: int = 3) -> tuple[Any, Any]:
    """A value with the secret at a random marked place, and the marks."""
    kind = draw(st.sampled_from(["leaf", "list", "map", "whole"] if depth else ["leaf"]))
    if kind == "leaf":
        return secret, True
    value, marks = draw(planted(secret, depth - 1))
    if kind == "whole":
        return {"nested": [value]}, True
    if kind == "list":
        before = draw(st.integers(0, 2))
        return [*["plain"] * before, value, 1], [*[False] * before, marks, False]
    return {"plain": None, "key": value, "n": 2}, {"key": marks}


def _change(value: Any, marks: Any, side: str) -> dict[str, Any]:
    if side == "before":
        return resource("aws_a.planted", "delete", value, before_sensitive=marks)
    return resource("aws_a.planted", "create", None, value, after_sensitive=marks)


PLACES: dict[str, Callable[[Any, Any], dict[str, Any]]] = {
    "before": lambda v, m: document(_change({"x": v}, {"x": m}, "before")),
    "after": lambda v, m: document(_change({"x": v}, {"x": m}, "after")),
    "no-op": lambda v, m: document(
        resource("aws_a.b", "no-op", {"x": v}, {"x": v}, before_sensitive={"x": m})
    ),
    "drift": lambda v, m: document(resource_drift=[_change({"x": v}, {"x": m}, "before")]),
    "deferred": lambda v, m: document(
        deferred_changes=[{"resource_change": _change({"x": v}, {"x": m}, "after")}]
    ),
    "output": lambda v, m: document(output_changes={"o": output(after=v, after_sensitive=m)}),
    "old output": lambda v, m: document(
        output_changes={"o": output("delete", before=v, before_sensitive=m)}
    ),
    "planned values": lambda v, m: document(
        planned_values={"root_module": {"resources": [{"values": v, "sensitive_values": m}]}}
    ),
    "prior state of a child module": lambda v, m: document(
        prior_state={
            "values": {
                "root_module": {
                    "child_modules": [{"resources": [{"values": v, "sensitive_values": m}]}]
                }
            }
        }
    ),
    "prior output": lambda v, _: document(
        prior_state={"values": {"outputs": {"o": {"sensitive": True, "value": v}}}}
    ),
    "variable": lambda v, _: document(
        variables={"v": {"value": v}},
        configuration={"root_module": {"variables": {"v": {"sensitive": True}}}},
    ),
    "ephemeral variable": lambda v, _: document(
        variables={"v": {"value": v}},
        configuration={"root_module": {"variables": {"v": {"ephemeral": True}}}},
    ),
    "undeclared variable": lambda v, _: document(variables={"v": {"value": v}}),
    "default": lambda v, _: document(
        configuration={"root_module": {"variables": {"v": {"sensitive": True, "default": v}}}}
    ),
    "argument of a module": lambda v, _: document(
        configuration={
            "root_module": {
                "module_calls": {
                    "m": {
                        "expressions": {"p": {"constant_value": v}},
                        "module": {"variables": {"p": {"sensitive": True}}},
                    }
                }
            }
        }
    ),
    "provider argument": lambda v, _: document(
        configuration={
            "provider_config": {"aws": {"expressions": {"secret_key": {"constant_value": v}}}}
        }
    ),
    "nested provider argument": lambda v, _: document(
        configuration={
            "provider_config": {
                "aws": {"expressions": {"token": [{"inner": {"constant_value": v}}]}}
            }
        }
    ),
}


def with_copies(planted_in: dict[str, Any], secret: Any) -> dict[str, Any]:
    """Put the secret, unmarked, into every other string that is emitted."""
    text = str(secret)
    inner = json.dumps({"Statement": [{"Sid": text}]})
    value = {"text": f"a {text} b", "raw": secret, "list": [text], text: "key", "policy": inner}
    address = f"aws_copy.c[{json.dumps(text)}]"
    copied = copy.deepcopy(planted_in)
    copied["resource_changes"] += [
        resource(
            "aws_copy.c",
            "update",
            {**value, "policy": "{}"},
            {**value, "text": f"c {text} d", "list": [text, "more"]},
            address=address,
            previous_address=address,
            importing={"id": text},
            replace_paths=[["list", 0], [text]],
        )
    ]
    copied.setdefault("output_changes", {})["copy"] = output(after=value)
    copied.setdefault("variables", {})["copy"] = {"value": value}
    if "configuration" in copied:
        root = copied["configuration"].setdefault("root_module", {})
        root.setdefault("variables", {})["copy"] = {}
    copied["checks"] = [
        {
            "address": {"to_display": address},
            "status": "fail",
            "instances": [{"problems": [{"message": f"it is {text}"}]}],
        }
    ]
    copied["action_invocations"] = [{"address": address}]
    return copied
