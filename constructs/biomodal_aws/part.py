"""The base of every construct here: readable Terraform addresses.

cdktf makes a resource's name from its construct path and a hash (`vm_instance_5A1C02B7`). A person
who reads a plan, or runs `terraform state show`, wants `aws_instance.vm`: the construct's own id.
"""

from __future__ import annotations

from typing import TypeVar

from cdktf import TerraformElement, TerraformStack
from constructs import Construct

_Element = TypeVar("_Element", bound=TerraformElement)


class Part(Construct):
    """A construct whose resources are named after it.

    Args:
        scope: The stack, or the construct that this one belongs to.
        id_: Its id, fixed once deployed.

    Attributes:
        address: The name part of its resources' addresses: the ids from the stack down to here,
            joined with underscores.
    """

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        self.address = "_".join([*_names_above(scope), id_]).replace("-", "_")

    def named(self, element: _Element, suffix: str = "") -> _Element:
        """Name an element after this construct.

        Args:
            element: A resource or data source made by this construct.
            suffix: What tells it from another of the same type.

        Returns:
            The element.
        """
        element.override_logical_id(f"{self.address}_{suffix}" if suffix else self.address)
        return element


def _names_above(scope: Construct) -> list[str]:
    if isinstance(scope, TerraformStack):
        return []
    if isinstance(scope, Part):
        return [scope.address]
    stack = TerraformStack.of(scope)
    return scope.node.path.removeprefix(stack.node.path).strip("/").split("/")
