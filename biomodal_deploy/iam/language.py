"""IAM's policy language as data: documents that others wrote, read and checked for their shape."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from biomodal_deploy.errors import UsageError

_JSON: Final[TypeAdapter[JsonValue]] = TypeAdapter(JsonValue)


def _as_list(value: object) -> object:
    return list(value) if isinstance(value, list | tuple) else [value]


def _as_text(value: object) -> object:
    """Return a condition's value as IAM reads it: booleans and numbers are texts to it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


Texts = Annotated[tuple[Annotated[str, BeforeValidator(_as_text)], ...], BeforeValidator(_as_list)]


class StatementText(BaseModel):
    """One statement of an identity policy, as written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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


class PolicyText(BaseModel):
    """An identity policy, as written."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: Literal["2008-10-17", "2012-10-17"] = Field(default="2008-10-17", alias="Version")
    statements: Annotated[tuple[StatementText, ...], BeforeValidator(_as_list)] = Field(
        alias="Statement", min_length=1
    )


LARGEST: Final = 512 * 1024
"""Bytes that are read of a file: IAM takes ten managed policies of 6,144 characters each."""


def parse_policy(document: JsonValue) -> PolicyText:
    """Return a policy document as data."""
    return PolicyText.model_validate(document)


def read_policies(path: Path) -> tuple[PolicyText, ...]:
    """Read a file with one policy, a list of them, or a table of them by name.

    What `aws iam get-policy-version` and `aws iam get-role-policy` print is one policy too.

    Raises:
        UsageError: It cannot be read, or is no identity policy.
    """
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST + 1)
        if len(text) <= LARGEST:
            if found := _documents(_JSON.validate_json(text)):
                return found
            rule = "It holds no policy"
        else:
            rule = f"It is longer than {LARGEST} bytes, and so than all policies of any user"
    except OSError as error:
        rule = f"It cannot be read ({error.strerror})"
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        reason = f"{where}: {first['msg']}" if where else first["msg"]
        rule = f"It is not an IAM identity policy ({reason})"
    raise UsageError(rule, field=str(path), fix='give JSON like {"Statement": [...]}')


def _documents(value: JsonValue) -> tuple[PolicyText, ...]:
    match value:
        case {"PolicyVersion": {"Document": document}} | {"PolicyDocument": document}:
            value = document
        case dict() if value and "Statement" not in value:
            value = list(value.values())
    listed = value if isinstance(value, list) else [value]
    return tuple(map(parse_policy, listed))
