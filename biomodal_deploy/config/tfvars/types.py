"""Terraform's type constraints, and values converted to them as Terraform converts them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

from biomodal_deploy.config.tfvars.values import Value, as_text, from_text, value_to_json

Kind = Literal["any", "string", "number", "bool", "list", "set", "map", "object", "tuple"]

_BOOLS: Final = {"true": True, "1": True, "false": False, "0": False}


class TypeMismatchError(ValueError):
    """A value does not fit its type; the text says where and what is needed, never the value."""


@dataclass(frozen=True)
class Type:
    """A type constraint.

    Attributes:
        inner: The elements' type of a list, set or map.
        items: The types of a tuple, in order.
        members: The types of an object, by name.
        optional: The members of an object that may be left out.
    """

    kind: Kind
    inner: Type | None = None
    items: tuple[Type, ...] = ()
    members: Mapping[str, Type] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()


ANY: Final = Type("any")


def convert(value: Value, wanted: Type, where: str = "") -> Value:
    """Return a value as Terraform converts it to a type.

    Args:
        where: The place inside the variable, such as `[0].name`.

    Raises:
        TypeMismatchError: Terraform would refuse it too.
    """
    if value is None:
        return None
    match wanted.kind:
        case "any":
            return value
        case "string":
            return _string(value, where)
        case "number":
            return _number(value, where)
        case "bool":
            return _bool(value, where)
        case "list" | "set" | "tuple":
            return _sequence(value, wanted, where)
        case "map" | "object":
            return _members(value, wanted, where)


def _string(value: Value, where: str) -> str:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, bool | int | Decimal):
        return as_text(value)
    raise _mismatch("string", where)


def _number(value: Value, where: str) -> int | Decimal:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return value
    read = from_text(value) if isinstance(value, str) else None
    if read is None:
        raise _mismatch("number", where)
    return read


def _bool(value: Value, where: str) -> bool:
    found = _BOOLS.get(value) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise _mismatch("bool", where)
    return found


def _sequence(value: Value, wanted: Type, where: str) -> list[Value]:
    if not isinstance(value, list):
        raise _mismatch(wanted.kind, where)
    if wanted.kind == "tuple" and len(value) != len(wanted.items):
        raise TypeMismatchError(f"{_subject(where)} must have {len(wanted.items)} elements")
    types = wanted.items or (wanted.inner or ANY,) * len(value)
    converted = [
        convert(item, type_, f"{where}[{place}]")
        for place, (item, type_) in enumerate(zip(value, types, strict=True))
    ]
    if wanted.kind != "set":
        return converted
    return list({value_to_json(item): item for item in converted}.values())


def _members(value: Value, wanted: Type, where: str) -> dict[str, Value]:
    if not isinstance(value, dict):
        raise _mismatch(wanted.kind, where)
    if wanted.kind == "map":
        inner = wanted.inner or ANY
        return {
            unicodedata.normalize("NFC", key): convert(item, inner, f'{where}["{key}"]')
            for key, item in value.items()
        }
    missing = sorted(wanted.members.keys() - value.keys() - wanted.optional)
    if missing:
        raise TypeMismatchError(f"{_subject(where)} must have {', '.join(missing)}")
    # Terraform drops what the type does not name.
    return {
        name: convert(value[name], inner, f"{where}.{name}")
        for name, inner in wanted.members.items()
        if name in value
    }


def _mismatch(kind: Kind, where: str) -> TypeMismatchError:
    article = "an" if kind in ("any", "object") else "a"
    return TypeMismatchError(f"{_subject(where)} must be {article} {kind}")


def _subject(where: str) -> str:
    return where.lstrip(".") or "It"


_TOKEN: Final = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^\W\d][\w-]*|[(){}\[\],=:]|[^\s(){}\[\],=:"]+)')
_PRIMITIVES: Final[dict[str, Kind]] = {
    "any": "any",
    "string": "string",
    "number": "number",
    "bool": "bool",
}
_COLLECTIONS: Final[dict[str, Kind]] = {"list": "list", "set": "set", "map": "map"}


def parse_type(text: str) -> Type:
    """Return the type that a constraint describes.

    One that this does not understand counts as `any`: Terraform then has the last word.
    """
    reader = _Reader(_TOKEN.findall(text))
    try:
        found = reader.type()
    except (_Unknown, RecursionError):
        return ANY
    return ANY if reader.tokens else found


class _Unknown(Exception):
    """The constraint uses what this module does not know."""


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens[::-1]

    def type(self) -> Type:
        word = self.take()
        if word in _PRIMITIVES:
            return Type(_PRIMITIVES[word])
        if word not in (*_COLLECTIONS, "tuple", "object"):
            raise _Unknown
        if word in _COLLECTIONS and not self.at("("):
            return Type(_COLLECTIONS[word], ANY)
        self.take("(")
        if word == "tuple":
            found = self.tuple()
        elif word == "object":
            found = self.object()
        else:
            found = Type(_COLLECTIONS[word], self.type())
        self.take(")")
        return found

    def tuple(self) -> Type:
        items = []
        self.take("[")
        while not self.at("]"):
            items.append(self.type())
            self.skip(",")
        self.take("]")
        return Type("tuple", items=tuple(items))

    def object(self) -> Type:
        members, optional = {}, set()
        self.take("{")
        while not self.at("}"):
            name = self.take().strip("'\"")
            self.take(":" if self.at(":") else "=")
            if self.skip("optional"):
                optional.add(name)
                self.take("(")
                members[name] = self.type()
                self.past_default()
            else:
                members[name] = self.type()
            self.skip(",")
        self.take("}")
        return Type("object", members=members, optional=frozenset(optional))

    def past_default(self) -> None:
        depth = 1
        while depth:
            token = self.take()
            depth += (token in ("(", "[", "{")) - (token in (")", "]", "}"))

    def take(self, wanted: str | None = None) -> str:
        if not self.tokens or (wanted is not None and self.tokens[-1] != wanted):
            raise _Unknown
        return self.tokens.pop()

    def skip(self, token: str) -> bool:
        found = self.at(token)
        if found:
            self.tokens.pop()
        return found

    def at(self, token: str) -> bool:
        return bool(self.tokens) and self.tokens[-1] == token
