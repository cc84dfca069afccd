"""What a synthesized stack will make: its Terraform JSON, arguments known before a plan."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from pydantic import BaseModel, Field, JsonValue, ValidationError

from biomodal_deploy.config.contract.aws import OWN_TAG
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular
from biomodal_deploy.iam import Place, iam_reference
from biomodal_deploy.iam.catalog import Catalog, Kind, fill
from biomodal_deploy.iam.expressions import Reference, evaluate, reference
from biomodal_deploy.iam.functions import UNKNOWN, is_unknown


class Module:
    """A configuration with values for its variables: a stack, or a module that it calls.

    Args:
        default_tags: The provider's, where the caller has set them.
        prefix: What its resources' addresses begin with.

    Attributes:
        default_tags: The provider's default tags, as far as they are known.
    """

    def __init__(
        self,
        document: Document,
        given: Mapping[str, JsonValue],
        place: Place,
        catalog: Catalog,
        *,
        default_tags: Mapping[str, str] | None = None,
        prefix: str = "",
    ) -> None:
        self.place, self.catalog, self.prefix = place, catalog, prefix
        self._document, self._given = document, given
        self._resolving: set[Reference] = set()
        if default_tags is None:
            default_tags = known_tags(evaluate(document.default_tags(), self.look_up))
        self.default_tags = default_tags

    def blocks(self) -> Iterator[Block]:
        """Give every resource, data source and backend that there will be, modules' too."""
        sections = {"": self._document.resource, "data.": self._document.data}
        for prefix, section in sections.items():
            for kind, named in section.items():
                for name, body in named.items():
                    block = Block(module=self, kind=prefix + kind, name=name, body=body)
                    if block.get("count") not in (0, False) and block.get("for_each") != []:
                        yield block
        for kind, body in self._document.backends():
            yield Block(module=self, kind=f"backend.{kind}", name="", body=body)
        for called in self._calls().values():
            if called:
                yield from called.blocks()

    def undescribed(self) -> list[str]:
        """Return the addresses of modules of which nothing is known."""
        return [address for address, called in self._calls().items() if called is None]

    def look_up(self, path: Reference) -> JsonValue:
        """Return the value of a reference, unknown where it is."""
        if path in self._resolving:
            return UNKNOWN  # Terraform refuses the cycle.
        self._resolving.add(path)
        try:
            value = self._value(path)
        finally:
            self._resolving.discard(path)
        return UNKNOWN if value is None else value

    def find(self, path: Reference) -> tuple[Block, Reference] | None:
        """Return the block that a reference names, and what of the reference is left."""
        is_data = path[0] == "data"
        kind, name = (*path[is_data:], "", "")[:2]
        section = self._document.data if is_data else self._document.resource
        body = section.get(str(kind), {}).get(str(name))
        if body is None:
            return None
        full_kind = f"data.{kind}" if is_data else str(kind)
        left = tuple(part for part in path[is_data + 2 :] if not isinstance(part, int))
        return Block(module=self, kind=full_kind, name=str(name), body=body), left

    def _value(self, path: Reference) -> JsonValue:
        root, name = (*path, "")[:2]
        if root == "var":
            default = self._document.variable.get(str(name), {}).get("default", UNKNOWN)
            return self._given.get(str(name), default)
        if root == "local":
            return evaluate(self._document.locals.get(str(name), UNKNOWN), self.look_up)
        found = self.find(path)
        return found[0].get(".".join(map(str, found[1]))) if found and found[1] else UNKNOWN

    def _calls(self) -> dict[str, Module | None]:
        calls: dict[str, Module | None] = {}
        for name, body in self._document.module.items():
            address = f"{self.prefix}module.{name}"
            document = described_module(str(body.get("source", "")))
            given = {key: evaluate(value, self.look_up) for key, value in body.items()}
            calls[address] = None
            if document:
                calls[address] = Module(
                    document,
                    given,
                    self.place,
                    self.catalog,
                    default_tags=self.default_tags,
                    prefix=f"{address}.",
                )
        return calls


@dataclass(frozen=True, kw_only=True)
class Block:
    """One resource, data source or backend.

    Attributes:
        kind: `aws_instance`, `data.aws_ami` or `backend.s3`.
    """

    module: Module
    kind: str
    name: str
    body: Body = field(repr=False)

    @property
    def address(self) -> str:
        """Its Terraform address."""
        return f"{self.module.prefix}{self.kind}.{self.name}".rstrip(".")

    @property
    def about(self) -> Kind | None:
        """What the catalog knows of its kind."""
        return self.module.catalog.kinds.get(self.kind)

    def tags(self) -> Mapping[str, str]:
        """Return the tags that it will carry, as far as they are known."""
        if self.about is None or not self.about.tagged:
            return {}
        own = known_tags(evaluate(self.body.get("tags"), self.module.look_up))
        return {**self.module.default_tags, **own}

    def fill(self, template: str) -> tuple[str, ...]:
        """Return a template of the catalog, filled in for this block."""
        return fill(template, self.get)

    def get(self, dotted: str) -> JsonValue:
        """Return an argument, or what is known of a computed attribute; None where it is not set.

        Args:
            dotted: Its path, into blocks and along references: `iam_instance_profile.role`.
        """
        first, _, rest = dotted.partition(".")
        if first in self.body:
            return self._follow(self.body[first], rest)
        if first in ("tag", "default_tag"):
            tags = self.tags() if first == "tag" else self.module.default_tags
            return _identity(tags).get(rest)
        if first == "place":
            return str(getattr(self.module.place, rest))
        return self._computed(first)

    def _follow(self, raw: JsonValue, rest: str) -> JsonValue:
        if not rest:
            return evaluate(raw, self.module.look_up)
        if isinstance(raw, list):
            found = [self._follow(each, rest) for each in raw]
            return [item for each in found for item in (each if isinstance(each, list) else [each])]
        first, _, left = rest.partition(".")
        if isinstance(raw, dict):
            return self._follow(raw.get(first), left) if first in raw else None
        path = reference(raw, self.module.look_up)
        target = self.module.find(path) if path else None
        return target[0].get(rest) if target else UNKNOWN

    def _computed(self, name: str) -> JsonValue:
        """Return what AWS will answer where that is known: who we are, and names that are ids."""
        place = self.module.place
        if self.kind in ("data.aws_caller_identity", "data.aws_partition", "data.aws_region"):
            answers = {"account_id": place.account, "partition": place.partition}
            return answers.get(name, place.region if name in ("name", "region") else UNKNOWN)
        if name not in ("id", "arn"):
            return None
        if self.about is None or self.about.id is None:
            return UNKNOWN
        identifier = self.fill(self.about.id)[0]
        if name == "id":
            return identifier
        return iam_reference.arn(self.about.arn, identifier, place) if self.about.arn else UNKNOWN


def known_tags(tags: JsonValue) -> Mapping[str, str]:
    """Return those tags whose key and value are known."""
    items = tags.items() if isinstance(tags, dict) else ()
    return {key: str(value) for key, value in items if not is_unknown([key, value])}


def _identity(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tag by which a resource is known: the stack's own, else its name."""
    for key in (OWN_TAG, "Name", *tags):
        if key in tags:
            return {"key": key, "value": tags[key]}
    return {}


SYNTHESIZED: Final = "cdk.tf.json"

Body = dict[str, JsonValue]
"""A block's arguments, as written."""


class Document(BaseModel, frozen=True):
    """A configuration: a stack's own, or a module's."""

    terraform: Body = Field(default_factory=dict)
    provider: Body = Field(default_factory=dict)
    variable: dict[str, Body] = Field(default_factory=dict)
    locals: Body = Field(default_factory=dict)
    data: dict[str, dict[str, Body]] = Field(default_factory=dict)
    resource: dict[str, dict[str, Body]] = Field(default_factory=dict)
    module: dict[str, Body] = Field(default_factory=dict)

    def default_tags(self) -> JsonValue:
        """Return the AWS provider's default tags, as written."""
        for provider in listed(self.provider.get("aws")):
            for block in listed(provider.get("default_tags")):
                return block.get("tags")
        return None

    def region(self) -> JsonValue:
        """Return the AWS provider's region, as written."""
        return next((each.get("region") for each in listed(self.provider.get("aws"))), None)

    def backends(self) -> Iterator[tuple[str, Body]]:
        """Give the state backend, if there is one: its type and its arguments."""
        for backend in listed(self.terraform.get("backend")):
            for kind, body in backend.items():
                yield from ((kind, one) for one in listed(body))


def read_document(directory: Path) -> Document:
    """Read a synthesized stack."""
    path = directory / SYNTHESIZED
    try:
        return Document.model_validate_json(read_regular(path))
    except OSError as error:
        reason = f"There is no synthesized stack ({error.strerror})"
    except ValidationError as error:
        reason = f"not Terraform JSON ({error.errors(include_url=False)[0]['msg']})"
    raise UsageError(reason, field=str(path), fix="run biomodal-aws synth")


def described_module(source: str) -> Document | None:
    """Return what is known of a remote module, or None where it is unknown.

    Terraform downloads modules; the permissions have to be known before that, and offline.
    """
    return next((module for mark, module in _modules() if mark in source), None)


def listed(value: JsonValue) -> list[Body]:
    """Return the blocks of a section: Terraform JSON takes one, or a list of them."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]


@cache
def _modules() -> tuple[tuple[str, Document], ...]:
    folder = files("biomodal_deploy.iam") / "data" / "modules"
    texts = [file.read_text(encoding="utf-8") for file in folder.iterdir()]
    return tuple(
        (json.loads(text)["//"]["source"], Document.model_validate_json(text)) for text in texts
    )
