"""What is known of a value, and those of Terraform's functions that the stacks name things by."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from pydantic import JsonValue

UNKNOWN: Final = "\0"
"""What stands for a value, or for a part of a text, that is not known before the plan."""


def is_unknown(value: JsonValue) -> bool:
    """Return whether a value is unknown, in whole or in part."""
    if isinstance(value, str):
        return UNKNOWN in value
    if isinstance(value, dict):
        return any(is_unknown(each) for each in value.values())
    return isinstance(value, list) and any(is_unknown(each) for each in value)


def text_of(value: JsonValue) -> str:
    """Return a value as it stands in a text; what cannot stand in one is unknown."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, list | dict):
        return UNKNOWN
    return str(value)


def _join(given: Sequence[JsonValue]) -> JsonValue:
    separator, items = given
    return str(separator).join(map(text_of, items if isinstance(items, list) else [items]))


def _lookup(given: Sequence[JsonValue]) -> JsonValue:
    table, key, *default = given
    return table.get(str(key), *default) if isinstance(table, dict) else UNKNOWN


def _merge(given: Sequence[JsonValue]) -> JsonValue:
    merged: dict[str, JsonValue] = {}
    for each in given:
        merged |= each if isinstance(each, dict) else {}
    return merged


def _one(given: Sequence[JsonValue]) -> JsonValue:
    [items] = given
    if isinstance(items, list) and len(items) < 2:
        return items[0] if items else None
    return UNKNOWN


def _substr(given: Sequence[JsonValue]) -> JsonValue:
    text, start, length = given
    if isinstance(start, int) and isinstance(length, int) and start >= 0 and length >= 0:
        return text_of(text)[start : start + length]
    return UNKNOWN


def _length(given: Sequence[JsonValue]) -> JsonValue:
    [value] = given
    return len(value) if isinstance(value, str | list | dict) else UNKNOWN


COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
FUNCTIONS: Final[Mapping[str, Callable[[Sequence[JsonValue]], JsonValue]]] = {
    "coalesce": lambda given: next((each for each in given if each not in (None, "")), None),
    "join": _join,
    "length": _length,
    "lookup": _lookup,
    "lower": lambda given: text_of(given[0]).lower(),
    "merge": _merge,
    "one": _one,
    "replace": lambda given: text_of(given[0]).replace(text_of(given[1]), text_of(given[2])),
    "split": lambda given: list(text_of(given[1]).split(text_of(given[0]))),
    "substr": _substr,
    "toset": lambda given: given[0],
    "tostring": lambda given: text_of(given[0]),
    "trimprefix": lambda given: text_of(given[0]).removeprefix(text_of(given[1])),
    "trimsuffix": lambda given: text_of(given[0]).removesuffix(text_of(given[1])),
}
