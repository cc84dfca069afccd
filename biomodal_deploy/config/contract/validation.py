"""A variable, and the rules on its value, in Terraform's language and in Python side by side.

Terraform checks it in a `validation` block, also where nobody runs our tools; Python checks it
before synthesis or plan, where a person gets the answer at once. Patterns keep to what Go's RE2
and Python's `re` read alike, and hold no backslash, which Terraform JSON would need doubled.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, TypeAlias


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule that a value has to keep.

    Attributes:
        message: The rule as a full sentence; Terraform before 1.2 insists on one.
        condition: A Terraform expression that is true where the rule holds, `{value}` standing
            for the variable.
        check: The same check in Python, on the value as Terraform reads it: a text, a number
            written out, or one element of a list.
    """

    message: str
    condition: str
    check: Callable[[str], bool]
    type: Literal["string", "number", "list(string)"] = "string"

    def holds(self, value: str) -> bool:
        """Return whether a value keeps the rule."""
        # Terraform brings every string into this form before any rule sees it.
        return self.check(unicodedata.normalize("NFC", value))

    def is_broken_by(self, value: object) -> bool:
        """Return whether a value of the rule's type breaks it; another type is no matter here."""
        match value:
            case None:
                # Terraform hands null on in place of the default, and its rule then fails.
                return True
            case str():
                texts = [value] if self.type == "string" else []
            case list() | tuple():
                texts = [each for each in value if isinstance(each, str)]
                texts = texts if self.type == "list(string)" else []
            case int() | Decimal() if not isinstance(value, bool) and self.type == "number":
                texts = [str(value)]
            case _:
                texts = []
        return not all(map(self.holds, texts))

    def expression(self, variable: str) -> str:
        """Return the condition for a `validation` block of the variable of that name."""
        return "${" + self.condition.replace("{value}", f"var.{variable}") + "}"


def matches(message: str, pattern: str) -> Rule:
    """Return the rule that the whole value matches a pattern, written without anchors."""
    return _pattern(message, pattern, wanted=True)


def matches_not(message: str, pattern: str) -> Rule:
    """Return the rule that the whole value does not match a pattern."""
    return _pattern(message, pattern, wanted=False)


def length_between(message: str, low: int, high: int) -> Rule:
    """Return the rule that a value has from `low` to `high` characters."""
    return Rule(
        message=message,
        # Not `length`: it counts what a person sees as one character; AWS counts code points.
        condition=f'can(regex("^(?s:.{{{low},{high}}})$", {{value}}))',
        check=lambda value: low <= len(value) <= high,
    )


def whole_number(message: str, low: int, high: int) -> Rule:
    """Return the rule that a number is whole and from `low` to `high`."""
    return Rule(
        message=message,
        condition=f"try(floor({{value}}) == {{value}} && {{value}} >= {low} && "
        f"{{value}} <= {high}, false)",
        check=lambda text: text.isascii() and text.isdecimal() and low <= int(text) <= high,
        type="number",
    )


def one_of(message: str, numbers: Collection[int]) -> Rule:
    """Return the rule that a number is one of these."""
    known = sorted(numbers)
    return Rule(
        message=message,
        condition=f"try(contains({known}, {{value}}), false)",
        check=lambda text: text in map(str, known),
        type="number",
    )


def of_each(rule: Rule) -> Rule:
    """Return the rule that each text of a list keeps a rule."""
    condition = rule.condition.replace("{value}", "item")
    return replace(
        rule,
        condition=f"try(alltrue([for item in {{value}} : {condition}]), false)",
        type="list(string)",
    )


def broken_rule(rules: Iterable[Rule], value: object) -> str | None:
    """Return the message of the first rule that a value breaks, or None."""
    return next((rule.message for rule in rules if rule.is_broken_by(value)), None)


def _pattern(message: str, pattern: str, *, wanted: bool) -> Rule:
    compiled = re.compile(pattern)
    found = f'can(regex("^({pattern})$", {{value}}))'
    return Rule(
        message=message,
        condition=found if wanted else f"!{found}",
        check=lambda value: (compiled.fullmatch(value) is not None) is wanted,
    )


VariableType: TypeAlias = Literal["string", "bool", "number", "list(string)"]
Default: TypeAlias = str | bool | int | tuple[str, ...] | None


@dataclass(frozen=True, kw_only=True)
class Variable:
    """One Terraform variable of the stack.

    Attributes:
        default: Its default, or None where a value is required.
    """

    name: str
    description: str
    type: VariableType = "string"
    default: Default = None
    rules: tuple[Rule, ...] = ()

    def broken_rule(self, value: object) -> str | None:
        """Return the message of the first rule that a value breaks, or None."""
        return broken_rule(self.rules, value)


def text(name: str, description: str, *rules: Rule, default: str | None = "") -> Variable:
    """Return a variable that takes a text; None as its default means that one is required."""
    return Variable(name=name, description=description, default=default, rules=rules)


def flag(name: str, description: str, *, default: bool = False) -> Variable:
    """Return a variable that is true or false."""
    return Variable(name=name, description=description, type="bool", default=default)


def number(name: str, description: str, default: int, *rules: Rule) -> Variable:
    """Return a variable that takes a number."""
    return Variable(name=name, description=description, type="number", default=default, rules=rules)


def texts(name: str, description: str, *rules: Rule, default: tuple[str, ...] = ()) -> Variable:
    """Return a variable that takes a list of texts, of which each keeps the rules."""
    every = tuple(map(of_each, rules))
    return Variable(
        name=name, description=description, type="list(string)", default=default, rules=every
    )
