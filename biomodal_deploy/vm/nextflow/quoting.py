"""Text as Groovy and a shell read it back."""

from __future__ import annotations

from typing import Final

_ESCAPES: Final = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def groovy(text: str) -> str:
    r"""Return a Groovy string of single quotes, in which `$` and `"` are plain.

    Source: Groovy documentation, "Single-quoted string": `\\`, `\'`, `\n` and `\uXXXX` are its
    escapes.
    """
    return "'" + "".join(_escaped(mark) for mark in text) + "'"


def comment(text: str) -> str:
    r"""Return a text for one comment line.

    Groovy reads `\uXXXX` before anything else, in comments too, so a backslash could end the line.
    """
    return "".join(mark if mark.isprintable() and mark != "\\" else "?" for mark in text)


def shell(text: str) -> str:
    """Return a POSIX shell word of single quotes, always quoted: it reads alike on every line."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def _escaped(mark: str) -> str:
    if mark in _ESCAPES:
        return _ESCAPES[mark]
    if mark.isprintable():
        return mark
    units = mark.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
