"""The one module that stands before everything that is printed or written.

It works twice. Where Terraform marks a value as sensitive, the value becomes HIDDEN. And whatever
was marked anywhere is also scrubbed from every other string, because Terraform's marks get lost:
a top-level variable carries none, `terraform_data` drops them on its output, and a secret put into
another string through `nonsensitive` or a provider's computed attribute is not marked there.
"""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator
from typing import Final

from biomodal_deploy.config.credentials import without_userinfo

HIDDEN_TEXT: Final = "(sensitive value)"
UNKNOWN_TEXT: Final = "(known after apply)"

# A start-up script often carries a token, and neither Terraform nor the provider marks it.
HIDDEN_ATTRIBUTES: Final = frozenset({"user_data", "user_data_base64"})

_HEAD: Final = 8
_SHORTEST: Final = 4
_MEMO_ENTRIES: Final = 50_000
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.~-]*")  # the same in JSON and in a URL


class Hidden:
    """A sensitive value: it can be compared, so that a change is seen, but not shown."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hidden) and self._value == other._value

    def __repr__(self) -> str:
        return HIDDEN_TEXT


class Unknown:
    """A value that only the apply will tell. No two of them are known to be equal."""

    __slots__ = ()

    def __repr__(self) -> str:
        return UNKNOWN_TEXT


UNKNOWN: Final = Unknown()


def mask(value: object, sensitive: object, unknown: object = False) -> object:
    """Put HIDDEN and UNKNOWN into a value, by Terraform's marks.

    Args:
        sensitive: `true`, or a list or map of such marks that mirrors the value.
        unknown: The same for what is known only after the apply.

    A mark of the whole value hides all of it, and so do marks that do not fit: one in the wrong
    place still says that something here is secret.
    """
    if unknown is True:
        return Hidden(UNKNOWN_TEXT) if marks_any(sensitive) else UNKNOWN
    if isinstance(value, dict):
        if _misfits(sensitive, dict):
            return Hidden(value)
        return _mask_map(value, _as_map(sensitive), _as_map(unknown))
    if isinstance(value, list):
        if _misfits(sensitive, list):
            return Hidden(value)
        return _mask_list(value, _as_list(sensitive), _as_list(unknown))
    if value is None and isinstance(unknown, dict) and marks_any(unknown):
        return _mask_map({}, _as_map(sensitive), unknown)
    return Hidden(value) if value is not None and marks_any(sensitive) else value


def marks_any(marks: object) -> bool:
    """Whether anything at all is marked. What is neither a flag, list nor map counts as a mark."""
    if isinstance(marks, dict):
        return any(marks_any(mark) for mark in marks.values())
    if isinstance(marks, list):
        return any(marks_any(mark) for mark in marks)
    return marks is not False and marks is not None


def _mask_map(
    value: dict[str, object], sensitive: dict[str, object], unknown: dict[str, object]
) -> dict[str, object]:
    masked: dict[str, object] = {}
    for key in (*value, *(key for key in unknown if key not in value)):
        secret = sensitive.get(key, False)
        if key in HIDDEN_ATTRIBUTES and isinstance(value.get(key), str):
            secret = True
        item = mask(value.get(key), secret, unknown.get(key, False))
        if key in value or item is not None:
            masked[key] = item
    return masked


def _mask_list(value: list[object], sensitive: list[object], unknown: list[object]) -> list[object]:
    if len(sensitive) > len(value) and marks_any(sensitive[len(value) :]):
        return [Hidden(item) for item in value]
    return [
        mask(item, _at(sensitive, index), _at(unknown, index)) for index, item in enumerate(value)
    ]


def _misfits(marks: object, kind: type) -> bool:
    return not isinstance(marks, kind) and marks_any(marks)


def _as_map(marks: object) -> dict[str, object]:
    return marks if isinstance(marks, dict) else {}


def _as_list(marks: object) -> list[object]:
    return marks if isinstance(marks, list) else []


def _at(marks: list[object], index: int) -> object:
    return marks[index] if index < len(marks) else False


def hides(value: object) -> bool:
    """Whether a redacted value is hidden, also in part."""
    if isinstance(value, dict):
        return any(map(hides, value.values()))
    if isinstance(value, list):
        return any(map(hides, value))
    return isinstance(value, str) and HIDDEN_TEXT in value


def leaves(value: object) -> Iterator[str]:
    """Yield every string and number inside a value, as text, and each key that is no mere name.

    A key like `password` says what stands under it. To hide that word everywhere would make a
    plan unreadable, and hide attributes from the guards.
    """
    if isinstance(value, dict):
        for key, item in value.items():
            if not _NAME.fullmatch(str(key)):
                yield str(key)
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


class Redactor:
    """Scrubs known secrets from text and values.

    A secret of eight characters or more is found anywhere; one of four to seven only where no
    letter or digit touches it, and a shorter one not at all, or "a" would blank every line.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = frozenset(secrets)
        words = set(_words(self._secrets))
        self._sieves = [
            _Sieve(size, (word for word in words if min(len(word), _HEAD) == size))
            for size in range(_SHORTEST, _HEAD + 1)
        ]
        self._numbers = frozenset(word for word in words if word[:1] in "-0123456789")
        self._memo: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Redactor({len(self._secrets)} secrets)"

    def text(self, text: str) -> str:
        """Return the text without any known secret."""
        known = self._memo.get(text)
        if known is None:
            spans = sorted(span for sieve in self._sieves for span in sieve.spans(text))
            known = without_userinfo(_without(text, spans))
            if len(self._memo) >= _MEMO_ENTRIES:
                self._memo.clear()
            self._memo[text] = known
        return known

    def value(self, value: object) -> object:
        """Return a masked value as plain data, with every string in it scrubbed."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self.value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, Hidden):
            return HIDDEN_TEXT
        if isinstance(value, Unknown):
            return UNKNOWN_TEXT
        if isinstance(value, int | float) and not isinstance(value, bool):
            return HIDDEN_TEXT if str(value) in self._numbers else value
        return value


class _Sieve:
    """Finds words of one length, or longer ones by their first eight characters.

    A pattern of which characters occur at which place sorts nearly all text out at C speed. What
    passes is looked up, so that ten thousand secrets cost hardly more than ten.
    """

    def __init__(self, size: int, words: Iterable[str]) -> None:
        self._size = size
        self._heads: dict[str, list[str]] = {}
        for word in sorted(words, key=len, reverse=True):
            self._heads.setdefault(word[:size], []).append(word)
        places = [
            f"[{re.escape(''.join(sorted(set(place))))}]"
            for place in zip(*self._heads, strict=True)
        ]
        # Only the first character is consumed: the next secret may begin inside this one.
        self._pattern = re.compile(f"{places[0]}(?={''.join(places[1:])})") if places else None

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where words begin and end."""
        if self._pattern is None or len(text) < self._size:
            return
        for found in self._pattern.finditer(text):
            start = found.start()
            for word in self._heads.get(text[start : start + self._size], ()):
                end = start + len(word)
                whole = self._size == _HEAD or _stands_alone(text, start, end)
                if whole and text.startswith(word, start):
                    yield start, end
                    break


def _stands_alone(text: str, start: int, end: int) -> bool:
    return not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum())


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    for start, end in reversed(merged):
        text = text[:start] + HIDDEN_TEXT + text[end:]
    return text


def _words(secrets: Iterable[str]) -> Iterator[str]:
    """Yield secrets as they stand in logs, URLs and documents inside strings."""
    parts = set()
    for secret in secrets:
        bare = secret.strip()
        if len(bare) >= _SHORTEST:
            parts |= {secret, bare}
        if len(bare) >= _HEAD:
            yield base64.b64encode(secret.encode("utf-8", "surrogatepass")).decode()
            # A private key is often printed line by line.
            parts.update(line for line in map(str.strip, bare.splitlines()) if len(line) >= _HEAD)
    for part in parts:
        yield part
        if not _PLAIN.fullmatch(part):
            yield from (form for once in _escaped(part) for form in {once, *_escaped(once)})
            yield urllib.parse.quote(part, safe="", errors="surrogatepass")


def _escaped(text: str) -> set[str]:
    """Return a text as it stands inside JSON; twice over, inside a document inside JSON."""
    plain = json.dumps(text, ensure_ascii=False)[1:-1]
    # Go's encoder, which writes Terraform's own JSON, also escapes what HTML minds.
    go = plain.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return {plain, go, json.dumps(text)[1:-1]}
