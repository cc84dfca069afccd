"""What a person may have meant by a word that is not known."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(given: str, known: Iterable[str], *, otherwise: str) -> str:
    """Return a question with the nearest known word, for an error's remedy.

    Args:
        otherwise: The remedy where none of them is near.
    """
    # Only here: nothing that is spelled right should wait for it.
    from difflib import get_close_matches

    close = get_close_matches(given, list(known), n=1)
    return f'did you mean "{close[0]}"?' if close else otherwise
