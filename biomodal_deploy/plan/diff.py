"""What differs between two masked values, element by element."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from biomodal_deploy.plan.redactor import UNKNOWN, Unknown

Path: TypeAlias = tuple[str | int, ...]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_PAIRS = 250_000  # longer lists are compared as a whole: matching is quadratic


@dataclass(frozen=True)
class Difference:
    """One place where two values differ. None stands for absent, as in Terraform."""

    path: Path
    before: object
    after: object


def differences(before: object, after: object, path: Path = ()) -> Iterator[Difference]:
    """Yield the smallest places that differ, in a stable order.

    Two lists are matched by element, since Terraform's sets come as sorted lists in which one
    added rule shifts all others. A JSON document inside a string (an IAM policy, a bucket policy)
    is compared as a document.
    """
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from differences(before.get(key), after.get(key), (*path, key))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _lists(before, after, path)
    elif not _same(before, after):
        documents = _document(before), _document(after)
        if None not in documents and documents[0] != documents[1]:
            yield from differences(*documents, path)
        else:
            yield Difference(path, before, after)


def _lists(before: list[object], after: list[object], path: Path) -> Iterator[Difference]:
    if len(before) * len(after) > _PAIRS:
        if before != after:
            yield Difference(path, before, after)
        return
    gone, new = _unmatched(before, after), _unmatched(after, before)
    if not gone and not new:
        if before != after:  # the same elements in another order
            yield Difference(path, before, after)
    elif gone == new or (len(gone) == len(new) == 1 and len(before) == len(after)):
        # Changed in place: say what changed within the element.
        for old, place in zip(gone, new, strict=True):
            yield from differences(before[old], after[place], (*path, place))
    else:
        yield from (Difference((*path, index), before[index], None) for index in gone)
        yield from (Difference((*path, index), None, after[index]) for index in new)


def _unmatched(items: list[object], others: list[object]) -> list[int]:
    """Return the indexes of items without an equal partner among the others."""
    left = list(others)
    unmatched = []
    for index, item in enumerate(items):
        if item in left:
            left.remove(item)
        else:
            unmatched.append(index)
    return unmatched


def _same(before: object, after: object) -> bool:
    if isinstance(before, bool) is not isinstance(after, bool):
        return False  # True == 1 for Python, not for Terraform
    return before == after and not isinstance(after, Unknown)


def _document(value: object) -> dict[str, object] | list[object] | None:
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return None
    try:
        document = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict | list) else None


def holds_unknown(value: object) -> bool:
    """Whether anything inside is known only after the apply."""
    if isinstance(value, dict):
        return any(holds_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(holds_unknown(item) for item in value)
    return value is UNKNOWN


def spell(path: Sequence[str | int]) -> str:
    """Write a path as Terraform does: `ingress[0].cidr_blocks`, `tags["cost centre"]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _NAME.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part, ensure_ascii=False)}]"
    return text
