"""What a variable is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from biomodal_deploy.config.contract.rules import Rule, broken_rule

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
