"""Terraform expressions, evaluated as far as their values are known before any plan.

A synthesized stack names its resources by expressions (`${var.vm_name}-job-queue`). Permissions
need the names, and nothing else of Terraform's language: what is not understood here is unknown,
never an error. Inside a longer text the unknown stays a mark, so that a name known in part
(`NAME-batch-` and what AWS adds) narrows an ARN as far as it can.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Final, TypeAlias

from hcl2 import parses_to_tree
from lark import Token, Tree
from lark.exceptions import LarkError
from pydantic import JsonValue

Reference: TypeAlias = tuple[str | int, ...]
"""`("aws_s3_bucket", "data", 0, "id")` for `aws_s3_bucket.data[0].id`."""

Node: TypeAlias = Tree[Token] | Token

UNKNOWN: Final = "\0"
"""What stands for a value, or for a part of a text, that is not known before the plan."""


def is_unknown(value: JsonValue) -> bool:
    """Return whether a value is unknown, in whole or in part."""
    if isinstance(value, str):
        return UNKNOWN in value
    if isinstance(value, dict):
        return any(is_unknown(each) for each in value.values())
    return isinstance(value, list) and any(is_unknown(each) for each in value)


def evaluate(value: JsonValue, look_up: Callable[[Reference], JsonValue]) -> JsonValue:
    """Return a value of Terraform JSON with every template in it evaluated.

    Args:
        value: As read from JSON.
        look_up: Gives the value of a reference such as `("var", "vm_name")`.
    """
    if isinstance(value, str):
        return _template(value, look_up)
    if isinstance(value, dict):
        return {
            _text(_template(key, look_up)): evaluate(each, look_up) for key, each in value.items()
        }
    if isinstance(value, list):
        return [evaluate(each, look_up) for each in value]
    return value


def reference(value: JsonValue) -> Reference | None:
    """Return what a template refers to where it is one reference and nothing else."""
    tree = _parsed(value) if isinstance(value, str) else None
    parts = _parts(tree) if tree else []
    alone = parts[0] if len(parts) == 1 else None
    return _path(_only_child(alone)) if isinstance(alone, Tree) else None


def _template(text: str, look_up: Callable[[Reference], JsonValue]) -> JsonValue:
    if "${" not in text and "%{" not in text:
        return text
    tree = _parsed(text)
    if tree is None:
        return UNKNOWN
    return _Evaluator(look_up).string(tree)


@cache
def _parsed(text: str) -> Tree[Token] | None:
    """Return the tree of a template, or None where it is beyond the parser or has no template."""
    if "${" not in text:
        return None
    try:
        start = parses_to_tree(f'x = "{text}"\n')
    except (LarkError, RecursionError):
        return None
    # The topmost string is the template itself; others may stand in its expressions.
    template: Tree[Token] = next(
        tree
        for tree in start.iter_subtrees_topdown()  # type: ignore[no-untyped-call]
        if tree.data == "string"
    )
    return template


class _Evaluator:
    def __init__(self, look_up: Callable[[Reference], JsonValue]) -> None:
        self._look_up = look_up

    def string(self, tree: Tree[Token]) -> JsonValue:
        parts = _parts(tree)
        if len(parts) == 1 and isinstance(parts[0], Tree):
            return self.value(_only_child(parts[0]))
        return "".join(
            str(part).replace("$${", "${")
            if isinstance(part, Token)
            else _text(self.value(_only_child(part)))
            for part in parts
        )

    def value(self, node: Node) -> JsonValue:
        if isinstance(node, Token):
            return UNKNOWN
        path = _path(node)
        if path is not None:
            return self._look_up(path)
        method = getattr(self, f"_{node.data}", None)
        return method(node) if method else UNKNOWN

    def _expr_term(self, tree: Tree[Token]) -> JsonValue:
        return self.value(_only_child(tree))

    def _string(self, tree: Tree[Token]) -> JsonValue:
        return self.string(tree)

    def _int_lit(self, tree: Tree[Token]) -> JsonValue:
        return int(str(tree.children[0]))

    def _literal_value(self, tree: Tree[Token]) -> JsonValue:
        return {"true": True, "false": False}.get(str(tree.children[0]))

    def _conditional(self, tree: Tree[Token]) -> JsonValue:
        condition, then, otherwise = _trees(tree)
        chosen = self.value(condition)
        if not isinstance(chosen, bool):
            return UNKNOWN
        return self.value(then if chosen else otherwise)

    def _binary_op(self, tree: Tree[Token]) -> JsonValue:
        left_tree, term = _trees(tree)
        operator_tree, right_tree = _trees(term)
        operator = str(operator_tree.children[0])
        left, right = self.value(left_tree), self.value(right_tree)
        if operator in ("&&", "||"):
            decisive = operator == "||"
            if decisive in (left, right):
                return decisive
            return (not decisive) if isinstance(left, bool) and isinstance(right, bool) else UNKNOWN
        if operator not in ("==", "!=") or is_unknown(left) or is_unknown(right):
            return UNKNOWN
        return (left == right) is (operator == "==")

    def _unary_op(self, tree: Tree[Token]) -> JsonValue:
        value = self.value(_trees(tree)[-1])
        return not value if isinstance(value, bool) and tree.children[0] == "!" else UNKNOWN

    def _tuple(self, tree: Tree[Token]) -> JsonValue:
        return [self.value(each) for each in _trees(tree)]

    def _object(self, tree: Tree[Token]) -> JsonValue:
        result: dict[str, JsonValue] = {}
        for element in _trees(tree):
            key, value = _trees(element)
            name = _path(_only_child(key))
            result[str(name[0]) if name else _text(self.value(_only_child(key)))] = self.value(
                value
            )
        return result

    def _function_call(self, tree: Tree[Token]) -> JsonValue:
        name, *rest = _trees(tree)
        function = _FUNCTIONS.get(str(name.children[0]))
        given = [self.value(each) for each in (_trees(rest[0]) if rest else [])]
        if function is None or any(is_unknown(each) for each in given):
            return UNKNOWN
        try:
            return function(given)
        except (TypeError, ValueError, IndexError, AttributeError):
            return UNKNOWN


def _join(given: Sequence[JsonValue]) -> JsonValue:
    separator, items = given
    return str(separator).join(map(_text, items if isinstance(items, list) else [items]))


def _lookup(given: Sequence[JsonValue]) -> JsonValue:
    table, key, *default = given
    return table.get(str(key), *default) if isinstance(table, dict) else UNKNOWN


def _merge(given: Sequence[JsonValue]) -> JsonValue:
    merged: dict[str, JsonValue] = {}
    for each in given:
        merged |= each if isinstance(each, dict) else {}
    return merged


_FUNCTIONS: Final[Mapping[str, Callable[[Sequence[JsonValue]], JsonValue]]] = {
    "coalesce": lambda given: next((each for each in given if each not in (None, "")), None),
    "join": _join,
    "lookup": _lookup,
    "lower": lambda given: _text(given[0]).lower(),
    "merge": _merge,
    "replace": lambda given: _text(given[0]).replace(_text(given[1]), _text(given[2])),
    "split": lambda given: list(_text(given[1]).split(_text(given[0]))),
    "tostring": lambda given: _text(given[0]),
    "trimprefix": lambda given: _text(given[0]).removeprefix(_text(given[1])),
    "trimsuffix": lambda given: _text(given[0]).removesuffix(_text(given[1])),
}


def _text(value: JsonValue) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, list | dict):
        return UNKNOWN
    return str(value)


def _path(node: Node) -> Reference | None:
    """Return `a.b[0].c` as its parts, or None where a node is anything else."""
    if isinstance(node, Token):
        return None
    if node.data == "identifier":
        return (str(node.children[0]),)
    if node.data == "expr_term" and len(_trees(node)) == 1:
        return _path(_trees(node)[0])
    if node.data not in ("get_attr_expr_term", "index_expr_term"):
        return None
    head, last = _trees(node)
    before = _path(head)
    if before is None:
        return None
    if last.data == "get_attr":
        return (*before, str(_trees(last)[0].children[0]))
    index = (
        _Evaluator(lambda _: UNKNOWN).value(_trees(last)[0]) if last.data == "braces_index" else 0
    )
    return (*before, index) if isinstance(index, str | int) else None


def _parts(string: Tree[Token]) -> list[Node]:
    """Return a string's parts: texts as tokens, interpolations as trees."""
    return [part.children[0] for part in _trees(string)]


def _only_child(tree: Tree[Token]) -> Tree[Token]:
    return _trees(tree)[0]


def _trees(tree: Tree[Token]) -> list[Tree[Token]]:
    return [
        child
        for child in tree.children
        if isinstance(child, Tree) and child.data != "new_line_or_comment"
    ]
