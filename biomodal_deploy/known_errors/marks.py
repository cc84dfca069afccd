"""The literal text inside a pattern, which tells at the speed of memory where it cannot match."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

_ENDS: Final = frozenset(".^$|*+?{")
_SHARED: Final = 6
_OPTIONAL: Final = frozenset("*?{")


def mark_of(pattern: str) -> str:
    """Return the longest text in small letters that stands in everything a pattern matches.

    Groups and sets are passed over: they may hold alternatives.

    Args:
        pattern: A regular expression without an alternative outside groups.

    Raises:
        ValueError: It has alternatives outside groups.
    """
    runs = [""]
    depth = 0
    in_set = False
    position = 0
    while position < len(pattern):
        mark = pattern[position]
        escaped = mark == "\\"
        if escaped:
            position += 1
            mark = pattern[position : position + 1]
        position += 1
        if in_set:
            in_set = escaped or mark != "]"
        elif escaped and not mark.isalnum():
            _add(runs, mark, depth)
        elif escaped:
            runs.append("")  # a class such as \d
        elif mark == "[":
            in_set = True
            runs.append("")
        elif mark in "()":
            depth += 1 if mark == "(" else -1
            runs.append("")
        elif mark == "|" and not depth:
            raise ValueError(f"the pattern {pattern} has alternatives: write them one by one")
        elif mark in _ENDS:
            if mark in _OPTIONAL:
                runs[-1] = runs[-1][:-1]  # what stands before it may be missing
            if mark == "{":
                position = pattern.index("}", position) + 1
            runs.append("")
        else:
            _add(runs, mark, depth)
    return max(runs, key=len).lower()


def grouped(marks: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Give marks in groups that share a few letters: where those are not, none of them is.

    A large text is searched for a quarter as many texts that way.
    """
    left = set(marks)
    shared = Counter(part for mark in left for part in _parts(mark))
    while left:
        seed = max(shared, key=shared.__getitem__)
        group = sorted(mark for mark in left if seed in mark)
        yield seed, group
        left.difference_update(group)
        shared.subtract(part for mark in group for part in _parts(mark))


def _parts(mark: str) -> set[str]:
    return {mark[start : start + _SHARED] for start in range(len(mark) - _SHARED + 1)} or {mark}


def _add(runs: list[str], mark: str, depth: int) -> None:
    if not depth:
        runs[-1] += mark
