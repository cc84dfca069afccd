"""The base of every construct here: readable Terraform addresses.

cdktf makes a resource's name from its construct path and a hash (`vm_instance_5A1C02B7`). A person
who reads a plan, or runs `terraform state show`, wants `aws_instance.vm`: the construct's own id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar
from weakref import WeakKeyDictionary

from cdktf import TerraformElement, TerraformResource, TerraformStack
from constructs import Construct

_Element = TypeVar("_Element", bound=TerraformElement)
_Names = dict[tuple[type[TerraformElement], str], TerraformElement]

# Terraform's rule for a name: a letter of any script or an underscore comes first.
_NAME: Final = re.compile(r"[^\W\d][\w-]*")
# What is named in the stack of each part, to notice when two want one name.
_NAMED: Final[WeakKeyDictionary[Construct, _Names]] = WeakKeyDictionary()


class Part(Construct):
    """A construct whose resources are named after it.

    Each takes these two, and keyword arguments of its own.

    Args:
        scope: The stack, or the construct that this one belongs to.
        id_: Its id, fixed once deployed.

    Attributes:
        address: The name part of its resources' addresses: the ids from the stack down to here,
            joined with underscores.
    """

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        _NAMED[self] = _named_beside(scope)
        self.address = "_".join([*_names_above(scope), id_]).replace("-", "_")

    def named(self, element: _Element, suffix: str = "") -> _Element:
        """Name an element after this construct.

        Args:
            suffix: What tells it from another of the same type.

        Raises:
            ValueError: Terraform takes no such name, or another element of the type has it. cdktf
                would write the one over the other, and a resource would be gone without a word.
        """
        name = f"{self.address}_{suffix}" if suffix else self.address
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{self.node.path}: {name!r} cannot be a name in Terraform. Fix: build ids of "
                "letters, digits, hyphens and underscores, and start with a letter."
            )
        other = _NAMED[self].setdefault((type(element), name), element)
        if other is not element:
            raise ValueError(
                f"{element.node.path}: {name!r} is the name of {other.node.path} already. Fix: "
                "give one of them an id or suffix that differs in more than hyphens and nesting."
            )
        element.override_logical_id(name)
        return element

    def made_if(self, condition: str | None, *resources: TerraformResource) -> None:
        """Have resources made where a condition holds, which a person decides after synthesis.

        Args:
            condition: A Terraform condition (without `${}`); None makes them always.
        """
        for resource in resources if condition else ():
            resource.add_override("count", f"${{{condition} ? 1 : 0}}")


def check_sequence(id_: str, field: str, given: object) -> None:
    """Refuse one text in place of several, which to Python is a sequence too, of its letters.

    Raises:
        TypeError: It is no sequence of texts.
    """
    if isinstance(given, str):
        raise TypeError(
            f"{id_}: {field} = {given!r}: It is a text and not a sequence of them. "
            "Fix: put it between [ and ]."
        )
    if not isinstance(given, Sequence):
        raise TypeError(f"{id_}: {field} must be a list, not {type(given).__name__}.")


def check_mapping(id_: str, field: str, given: object) -> None:
    """Refuse what is no mapping.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(given, Mapping):
        raise TypeError(
            f"{id_}: {field} must be a dict, a word for each, not {type(given).__name__}. "
            'Fix: write {"office": "192.0.2.0/24"}.'
        )


def _named_beside(scope: Construct) -> _Names:
    if scope in _NAMED:
        return _NAMED[scope]
    stack = scope if isinstance(scope, TerraformStack) else TerraformStack.of(scope)
    return _NAMED.setdefault(stack, {})


def _names_above(scope: Construct) -> list[str]:
    if isinstance(scope, TerraformStack):
        return []
    if isinstance(scope, Part):
        return [scope.address]
    stack = TerraformStack.of(scope)
    return scope.node.path.removeprefix(stack.node.path).strip("/").split("/")
