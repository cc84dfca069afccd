"""What a patch is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

# moto's methods are as dynamic as the protocols they speak: types would only pretend here.
Method: TypeAlias = Callable[..., Any]


@dataclass(frozen=True)
class Change:
    """One name in moto that gets another value.

    Attributes:
        owner: The class or module that has it.
        name: The name.
        made_from: Makes the new value from moto's own.
    """

    owner: object
    name: str
    made_from: Callable[[Any], object]

    def apply(self) -> None:
        """Put it in place; a moto that no longer has the name is noticed here, at the start."""
        setattr(self.owner, self.name, self.made_from(getattr(self.owner, self.name)))
