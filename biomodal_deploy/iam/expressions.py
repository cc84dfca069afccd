"""Terraform expressions, evaluated as far as their values are known before any plan.

A synthesized stack names its resources by expressions (`${var.vm_name}-job-queue`). Permissions
need the names, and nothing else of Terraform's language: what is not understood here is unknown,
never an error. Inside a longer text the unknown stays a mark, so that a name known in part
(`NAME-batch-` and what AWS adds) narrows an ARN as far as it can.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeAlias

from hcl2 import parses_to_tree
from lark import Token, Tree
from lark.exceptions import LarkError
from pydantic import JsonValue

from biomodal_deploy.iam.functions import COMPARISONS, FUNCTIONS, UNKNOWN, is_unknown, text_of

Reference: TypeAlias = tuple[str | int, ...]
"""`("aws_s3_bucket", "data", 0, "id")` for `aws_s3_bucket.data[0].id`."""

Node: TypeAlias = Tree[Token] | Token


def evaluate(value: JsonValue, look_up: Callable[[Reference], JsonValue]) -> JsonValue:
    """Return a value of Terraform JSON with every template in it evaluated.

    Args:
        look_up: Gives the value of a reference such as `("var", "vm_name")`.
    """
    if isinstance(value, str):
        return _template(value, look_up)
    if isinstance(value, dict):
        return {
            text_of(_template(key, look_up)): evaluate(each, look_up) for key, each in value.items()
        }
    if isinstance(value, list):
        return [evaluate(each, look_up) for each in value]
    return value


def reference(
    value: JsonValue, look_up: Callable[[Reference], JsonValue] | None = None
) -> Reference | None:
    """Return what a template refers to where it is one reference and nothing else.

    Args:
        look_up: Gives values of references, to choose between two by a condition.
    """
    tree = _parsed(value) if isinstance(value, str) else None
    parts = _parts(tree) if tree else []
    alone = parts[0] if len(parts) == 1 else None
    if not isinstance(alone, Tree):
        return None
    expression = _only_child(alone)
    if expression.data == "conditional" and look_up:
        chosen = _Evaluator(look_up).chosen(expression)
        return _path(chosen) if chosen else None
    return _path(expression)


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
            else text_of(self.value(_only_child(part)))
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

    def chosen(self, tree: Tree[Token]) -> Tree[Token] | None:
        """Return what a conditional chooses, None where its condition is not known."""
        condition, then, otherwise = _trees(tree)
        holds = self.value(condition)
        return (then if holds else otherwise) if isinstance(holds, bool) else None

    def _conditional(self, tree: Tree[Token]) -> JsonValue:
        chosen = self.chosen(tree)
        return UNKNOWN if chosen is None else self.value(chosen)

    def _binary_op(self, tree: Tree[Token]) -> JsonValue:
        left_tree, term = _trees(tree)
        operator_tree, right_tree = _trees(term)
        sign = str(operator_tree.children[0])
        left, right = self.value(left_tree), self.value(right_tree)
        if sign in ("&&", "||"):
            decisive = sign == "||"
            if decisive in (left, right):
                return decisive
            return (not decisive) if isinstance(left, bool) and isinstance(right, bool) else UNKNOWN
        if is_unknown(left) or is_unknown(right):
            return UNKNOWN
        if sign in ("==", "!="):
            return (left == right) is (sign == "==")
        if isinstance(left, int | float) and isinstance(right, int | float):
            return COMPARISONS[sign](left, right) if sign in COMPARISONS else UNKNOWN
        return UNKNOWN

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
            result[str(name[0]) if name else text_of(self.value(_only_child(key)))] = self.value(
                value
            )
        return result

    def _full_splat_expr_term(self, tree: Tree[Token]) -> JsonValue:
        """Return the attribute of each: of none where the resource's count is 0."""
        head, splat = _trees(tree)
        path = _path(head)
        names = [str(_trees(each)[0].children[0]) for each in _trees(splat)]
        if path is None or self._look_up((*path, "count")) in (0, False):
            return [] if path else UNKNOWN
        value = self._look_up((*path, *names))
        return UNKNOWN if is_unknown(value) else [value]

    def _function_call(self, tree: Tree[Token]) -> JsonValue:
        name, *rest = _trees(tree)
        function = FUNCTIONS.get(str(name.children[0]))
        given = [self.value(each) for each in (_trees(rest[0]) if rest else [])]
        if function is None or any(is_unknown(each) for each in given):
            return UNKNOWN
        try:
            return function(given)
        except (TypeError, ValueError, IndexError, AttributeError):
            return UNKNOWN


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
