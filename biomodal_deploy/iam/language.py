"""IAM's policy language as data: documents that others wrote, read and checked for their shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    JsonValue,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular

_JSON: Final[TypeAdapter[JsonValue]] = TypeAdapter(JsonValue)


def _as_list(value: object) -> object:
    return list(value) if isinstance(value, list | tuple) else [value]


def _as_text(value: object) -> object:
    """Return a condition's value as IAM reads it: booleans and numbers are texts to it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


Texts = Annotated[tuple[Annotated[str, BeforeValidator(_as_text)], ...], BeforeValidator(_as_list)]


class Statement(BaseModel, frozen=True, extra="forbid", populate_by_name=True):
    """One statement of an identity policy: read, decided by, and written.

    Attributes:
        sid: Its name, unique in its document; empty for none.
        resources: ARNs, or `*`.
        condition: Under which conditions, by operator and key.
    """

    sid: str = Field(default="", alias="Sid")
    effect: Literal["Allow", "Deny"] = Field(alias="Effect")
    actions: Texts = Field(default=(), alias="Action")
    not_actions: Texts = Field(default=(), alias="NotAction")
    resources: Texts = Field(default=(), alias="Resource")
    not_resources: Texts = Field(default=(), alias="NotResource")
    condition: dict[str, dict[str, Texts]] = Field(default_factory=dict, alias="Condition")

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        for name, pair in (
            ("Action", (self.actions, self.not_actions)),
            ("Resource", (self.resources, self.not_resources)),
        ):
            if bool(pair[0]) is bool(pair[1]):
                raise ValueError(f"a statement has {name} or Not{name}, and one of them")
        return self

    def as_json(self) -> dict[str, JsonValue]:
        """Return it as a policy has it."""
        body: dict[str, JsonValue] = {"Sid": self.sid} if self.sid else {}
        body["Effect"] = self.effect
        for name, values in (
            ("Action", self.actions),
            ("NotAction", self.not_actions),
            ("Resource", self.resources),
            ("NotResource", self.not_resources),
        ):
            if values:
                body[name] = _one_or_list(values)
        if self.condition:
            body["Condition"] = {
                operator: {key: _one_or_list(values) for key, values in keys.items()}
                for operator, keys in self.condition.items()
            }
        return body


def allow(
    sid: str,
    actions: Sequence[str],
    resources: Sequence[str],
    condition: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
) -> Statement:
    """Return a statement that allows actions on resources, under a condition."""
    conditions = {
        operator: {key: tuple(values) for key, values in keys.items()}
        for operator, keys in (condition or {}).items()
    }
    return Statement(
        sid=sid,
        effect="Allow",
        actions=tuple(actions),
        resources=tuple(resources),
        condition=conditions,
    )


VERSION: Final = "2012-10-17"


class PolicyDocument(BaseModel, frozen=True, populate_by_name=True):
    """An identity policy."""

    version: Literal["2008-10-17", "2012-10-17"] = Field(default="2008-10-17", alias="Version")
    statements: Annotated[tuple[Statement, ...], BeforeValidator(_as_list)] = Field(
        alias="Statement", min_length=1
    )


def document_of(statements: Iterable[Statement]) -> dict[str, JsonValue]:
    """Return the policy document that consists of statements."""
    return {"Version": VERSION, "Statement": [each.as_json() for each in statements]}


def _one_or_list(values: Sequence[str]) -> JsonValue:
    return values[0] if len(values) == 1 else list(values)


LARGEST: Final = 512 * 1024
"""Bytes that are read of a file: IAM takes ten managed policies of 6,144 characters each."""


def parse_policy(document: JsonValue) -> PolicyDocument:
    """Return a policy document as data."""
    return PolicyDocument.model_validate(document)


def read_policies(path: Path) -> tuple[PolicyDocument, ...]:
    """Read a file with one policy, a list of them, or a table of them by name.

    What `aws iam get-policy-version` and `aws iam get-role-policy` print is one policy too.
    """
    try:
        text = read_regular(path, LARGEST + 1)
        if len(text) <= LARGEST:
            if found := _documents(_JSON.validate_json(text)):
                return found
            rule = "no policy in it"
        else:
            rule = f"longer than {LARGEST} bytes, and so than all policies of any user"
    except OSError as error:
        rule = f"cannot be read ({error.strerror})"
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        reason = f"{where}: {first['msg']}" if where else first["msg"]
        rule = f"not an IAM identity policy ({reason})"
    raise UsageError(rule, field=str(path), fix='give JSON like {"Statement": [...]}')


def _documents(value: JsonValue) -> tuple[PolicyDocument, ...]:
    match value:
        case {"PolicyVersion": {"Document": document}} | {"PolicyDocument": document}:
            value = document
        case dict() if value and "Statement" not in value:
            value = list(value.values())
    listed = value if isinstance(value, list) else [value]
    return tuple(map(parse_policy, listed))
