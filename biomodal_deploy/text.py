"""Numbers in sentences."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return `1 change`, `2 changes`, `5,000 changes`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def sized(size: float) -> str:
    """Return `0 bytes`, `1 byte`, `12.5 KiB`, `3.0 TiB`."""
    if size < 1024:
        return counted(int(size), "byte")
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        size /= 1024
        if size < 1024:
            return f"{size:.1f} {unit}"
    return f"{size / 1024:,.1f} PiB"
