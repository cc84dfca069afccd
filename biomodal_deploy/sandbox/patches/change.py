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
        new: Whether moto has no such name: the value is made from None.
    """

    owner: object
    name: str
    made_from: Callable[[Any], object]
    new: bool = False

    def apply(self) -> None:
        """Put it in place; a moto that has lost the name, or got it, is noticed at the start."""
        if self.new and hasattr(self.owner, self.name):
            raise AttributeError(f"moto has {self.name} by now: the patch is not needed")
        original = None if self.new else getattr(self.owner, self.name)
        setattr(self.owner, self.name, self.made_from(original))
