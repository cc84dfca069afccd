"""One failed check, with where it is in the code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """A rule that a resource breaks.

    Attributes:
        rule: The rule's id.
        address: The resource's Terraform address, without `[0]`.
        construct: Its path in the construct tree.
        title: The rule in words.
    """

    rule: str
    address: str
    construct: str
    title: str

    def __str__(self) -> str:
        return f"{self.rule} {self.construct} ({self.address}): {self.title}"
