"""What one difference between the profiles is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

Area: TypeAlias = Literal["Access", "The VM", "Data", "Images", "Batch", "The account"]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One point in which the hardened profile leaves the document.

    Attributes:
        id: A short word for it.
        area: What it is about.
        title: It in a few words.
        documented: What the documented profile does.
        hardened: What the hardened one does.
        risk: What can happen with the documented value.
        reason: Why the hardened value, and what it costs.
        back: How to go back, by a variable where there is one.
        module: What the module implementation does in the hardened profile: `same`, or what its
            inputs leave as it is.
        variables: The variables that set it.
        addresses: The resources of the native stack that differ by it, without `[0]`.
    """

    id: str
    area: Area
    title: str
    documented: str
    hardened: str
    risk: str
    reason: str
    back: str
    module: str = "same"
    variables: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()

    def as_data(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {**asdict(self), "variables": [*self.variables], "addresses": [*self.addresses]}
