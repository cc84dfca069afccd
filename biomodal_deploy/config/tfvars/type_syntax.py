"""Read a type constraint, such as `list(object({name = string, size = optional(number, 1)}))`."""

from __future__ import annotations

import re
from typing import Final

from biomodal_deploy.config.tfvars.types import ANY, Kind, Type

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
