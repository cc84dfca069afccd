"""Numbers in sentences, and text of any origin on a terminal."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final

_HALF: Final = re.compile("[\ud800-\udfff]")
_WIDE: Final = re.compile(r"[^\x00-\x7f]")


def moment(when: datetime) -> str:
    """Return a time for people: `2026-01-31 08:15:00 UTC`."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def printable(text: str) -> str:
    """Return a text without what would steer a terminal; lines and tabs stay.

    Control characters, such as the start of an escape sequence, and those that turn the direction
    of writing become a question mark each, so that columns keep their width.
    """
    if text.isprintable():
        return text
    return "".join(mark if _is_harmless(mark) else "?" for mark in text)


def _is_harmless(mark: str) -> bool:
    return mark.isprintable() or mark in "\n\t" or unicodedata.category(mark) == "Zs"


def as_json(value: object, default: Callable[[object], object] | None = None) -> str:
    """Return data for programs: JSON that every parser takes, whatever is in a name.

    A byte of a file's name that is no UTF-8 is spelled, as a backslash, x and its two digits: what
    stands for it in Python is half a character, which JSON can write and strict parsers refuse.
    """
    text = json.dumps(value, indent=2, default=default)
    if "\\ud" not in text:
        return text
    text = json.dumps(value, indent=2, default=default, ensure_ascii=False)
    text = _HALF.sub(lambda half: json.dumps(_spelled(half[0]))[1:-1], text)
    return _WIDE.sub(lambda mark: json.dumps(mark[0])[1:-1], text)


def _spelled(half: str) -> str:
    byte = ord(half) - 0xDC00
    return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else "\N{REPLACEMENT CHARACTER}"


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


def did_you_mean(given: str, known: Iterable[str], *, otherwise: str) -> str:
    """Return a question with the nearest known word, for an error's remedy.

    Args:
        otherwise: The remedy where none of them is near.
    """
    # Only here: nothing that is spelled right should wait for it.
    from difflib import get_close_matches

    close = get_close_matches(given, list(known), n=1)
    return f'did you mean "{close[0]}"?' if close else otherwise
