"""The variables that a synthesized stack declares."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, JsonValue, ValidationError, field_validator

from biomodal_deploy.config.credentials import is_key_like
from biomodal_deploy.config.tfvars.types import ANY, Type, parse_type
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular

STACK_FILE: Final = "cdk.tf.json"


@dataclass(frozen=True)
class DeclaredVariable:
    """One `variable` block.

    Attributes:
        type: Its type; `any` where it declares none.
        literal: Whether `--var` takes its value as plain text, without quotes.
        nullable: Whether null is a value; otherwise null stands for the default.
    """

    name: str
    type: Type = ANY
    literal: bool = True
    required: bool = True
    nullable: bool = True
    sensitive: bool = False
    description: str = ""
    messages: tuple[str, ...] = ()


class _Validation(BaseModel):
    error_message: str = ""


class _Block(BaseModel):
    type: str = ""
    default: JsonValue = None
    description: str = ""
    nullable: bool = True
    sensitive: bool = False
    validation: list[_Validation] = []

    @field_validator("validation", mode="before")
    @classmethod
    def _always_a_list(cls, found: object) -> object:
        return [found] if isinstance(found, dict) else found


class _Stack(BaseModel):
    variable: dict[str, _Block | list[_Block]] = {}


def read_declared(stack_directory: Path) -> dict[str, DeclaredVariable]:
    """Return the variables that a synthesized stack declares, by name.

    Raises:
        UsageError: There is no synthesized stack, or it is no Terraform JSON.
    """
    path = stack_directory / STACK_FILE
    try:
        stack = _Stack.model_validate_json(read_regular(path))
    except OSError as error:
        raise UsageError(
            f"cannot be read ({error.strerror})", field=str(path), fix="run biomodal-aws synth"
        ) from None
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise UsageError(
            f"not Terraform JSON{f' at {where}' if where else ''}",
            field=str(path),
            fix="run biomodal-aws synth",
        ) from None
    return {
        name: _declared(name, block[0] if isinstance(block, list) else block)
        for name, block in stack.variable.items()
        if block
    }


def _declared(name: str, block: _Block) -> DeclaredVariable:
    type_ = parse_type(block.type) if block.type else ANY
    return DeclaredVariable(
        name=name,
        type=type_,
        # As Terraform has it: no type means text, an explicit `any` means an expression.
        literal=not block.type or type_.kind in ("string", "number", "bool"),
        required="default" not in block.model_fields_set,
        nullable=block.nullable,
        sensitive=block.sensitive or is_key_like(name),
        description=block.description,
        messages=tuple(each.error_message for each in block.validation if each.error_message),
    )
