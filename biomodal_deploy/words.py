"""Numbers in sentences."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return `1 change`, `2 changes`, `5,000 changes`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
