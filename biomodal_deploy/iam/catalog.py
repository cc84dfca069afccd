"""Which permissions Terraform needs for a kind of resource, and when: data, one file a service.

The files are written by hand and proved by the engine tests: every call that Terraform makes is
in them, and every grant is either seen there or says why it cannot be.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BaseModel, BeforeValidator, Field, JsonValue, TypeAdapter, ValidationError

from biomodal_deploy.iam.functions import UNKNOWN

Condition: TypeAlias = dict[str, dict[str, tuple[str, ...]]]
"""Operator, condition key, values: as in a policy, values always a list."""

_Templates: TypeAlias = Annotated[
    tuple[str, ...], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)
]


class CatalogError(Exception):
    """The data files contradict themselves or AWS: a bug of ours."""


class Phase(StrEnum):
    """A command of the workflow, with all that its Terraform does.

    `apply` creates, `update` changes in place; a replacement is `destroy` and `apply`. Not of
    Terraform is `run`: what the VM does when all is there.
    """

    PLAN = "plan"
    APPLY = "apply"
    UPDATE = "update"
    DESTROY = "destroy"
    RUN = "run"


LIFE_CYCLE: Final = (Phase.PLAN, Phase.APPLY, Phase.UPDATE, Phase.DESTROY)


class _Data(BaseModel, frozen=True, extra="forbid"):
    pass


class Grant(_Data):
    """What a kind of resource needs in some phases.

    Attributes:
        on: Templates of identifiers by type of resource (`key-pair`, or `iam:role` where another
            service's). Empty where AWS allows nothing narrower than `*`.
        conditions: Names of conditions, an argument after a colon.
        when: An argument of the resource without which nothing of this is needed; `!` before it
            turns that round.
        unobserved: Why the sandbox cannot show that it is needed. None where it does.
    """

    phases: tuple[Phase, ...]
    actions: tuple[str, ...]
    on: dict[str, str] = Field(default_factory=dict)
    conditions: tuple[str, ...] = Field(default=(), alias="if")
    when: str | None = None
    why: str
    unobserved: str | None = None


class Ignored(_Data):
    """A call that Terraform makes and whose refusal it takes in its stride."""

    phases: tuple[Phase, ...]
    actions: tuple[str, ...]
    why: str


class Kind(_Data):
    """A kind of resource (`aws_key_pair`), data source (`data.aws_ami`) or backend.

    Attributes:
        id: Template of its Terraform id, where that is known before it exists.
        arn: Its type in IAM, which with the id gives its ARN.
    """

    id: str | None = None
    arn: str | None = None
    grants: tuple[Grant, ...] = Field(default=(), alias="grant")
    ignored: tuple[Ignored, ...] = Field(default=(), alias="ignore")

    @property
    def tagged(self) -> bool:
        """Whether it takes tags, the provider's default tags among them."""
        return any(grant.when == "tags" for grant in self.grants)


class Catalog(_Data):
    """All of the files.

    Attributes:
        conditions: Templates of conditions by name: any of the values is enough.
    """

    kinds: dict[str, Kind]
    conditions: dict[str, dict[str, dict[str, _Templates]]]

    def condition(self, name: str) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        """Return a condition's template."""
        try:
            return self.conditions[name]
        except KeyError:
            raise CatalogError(f"no condition is named {name}") from None


_KINDS: Final = TypeAdapter(dict[str, Kind])


@cache
def catalog() -> Catalog:
    """Return the catalog that ships with this package.

    Raises:
        CatalogError: A file is wrong, or two describe one kind.
    """
    kinds: dict[str, Kind] = {}
    conditions: dict[str, Any] = {}
    for name, table in _tables():
        conditions |= table.pop("condition", {})
        try:
            new = _KINDS.validate_python(table)
        except ValidationError as error:
            raise CatalogError(f"{name}: {error}") from error
        if twice := kinds.keys() & new.keys():
            raise CatalogError(f"{name} describes {', '.join(twice)} a second time")
        kinds |= new
    return Catalog(kinds=kinds, conditions=conditions)


def _tables() -> Iterator[tuple[str, dict[str, Any]]]:
    folder = files("biomodal_deploy.iam") / "data" / "services"
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        yield file.name, tomllib.loads(file.read_text(encoding="utf-8"))


SUFFIX: Final = "?" * 26
"""What a policy says for what the AWS provider adds to a name's prefix: a time and a counter of 26
characters together (terraform-plugin-sdk, `id.PrefixedUniqueId`). `*` would reach everything whose
name only begins like ours."""

_ALIAS: Final = "alias/"
_PLACEHOLDER: Final = re.compile(r"\{([^{}]+)\}")


def fill(template: str, value_of: Callable[[str], JsonValue]) -> tuple[str, ...]:
    """Return a template with its placeholders filled in; what is not known stays a mark.

    A placeholder has alternatives, of which the first that is set counts. `*` after one says that
    the provider adds its suffix to it; `:name` takes the name out of an ARN, `:key` and `:alias`
    what a KMS key is named by: either is unknown where it is named by the other. A list gives one
    text an item.

    Args:
        value_of: Gives an argument by its dotted path, None where it is not set.
    """
    parts: list[tuple[str, ...]] = []
    end = 0
    for placeholder in _PLACEHOLDER.finditer(template):
        parts += [(template[end : placeholder.start()],), _chosen(placeholder[1], value_of)]
        end = placeholder.end()
    parts.append((template[end:],))
    return tuple(dict.fromkeys("".join(each) for each in product(*parts)))


def _chosen(alternatives: str, value_of: Callable[[str], JsonValue]) -> tuple[str, ...]:
    for alternative in alternatives.split("|"):
        path, _, _filter = alternative.removesuffix("*").partition(":")
        value = value_of(path)
        if value in (None, "", []):
            continue
        texts = [_text(each) for each in (value if isinstance(value, list) else [value])]
        if _filter:
            texts = [_FILTERS[_filter](text) for text in texts]
        return tuple(text + SUFFIX * alternative.endswith("*") for text in texts)
    return (UNKNOWN,)


def _name(text: str) -> str:
    return text.rpartition("/")[2]


def _key(text: str) -> str:
    return UNKNOWN if _ALIAS in text else text


def _alias(text: str) -> str:
    return _ALIAS + text.rpartition(_ALIAS)[2] if _ALIAS in text else UNKNOWN


_FILTERS: Final[Mapping[str, Callable[[str], str]]] = {"name": _name, "key": _key, "alias": _alias}


def _text(value: JsonValue) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else UNKNOWN
