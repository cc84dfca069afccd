"""Terraform's version constraints, as far as provider requirements use them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from biomodal_deploy.engine.toolchain.tool import numbers

_Version = tuple[int, int, int]
_PART: Final = re.compile(r"\s*(=|!=|>=|<=|>|<|~>)?\s*v?(\d+(?:\.\d+){0,2})\s*")
_COMPARE: Final[dict[str, Callable[[_Version, _Version], bool]]] = {
    "=": lambda version, bound: version == bound,
    "!=": lambda version, bound: version != bound,
    ">=": lambda version, bound: version >= bound,
    "<=": lambda version, bound: version <= bound,
    ">": lambda version, bound: version > bound,
    "<": lambda version, bound: version < bound,
}


def satisfies(version: str, constraint: str) -> bool:
    """Return whether a released version meets a constraint such as `~> 5.100, != 5.101.0`.

    What this does not understand counts as not met: the registry then answers.
    """
    known = numbers(version)
    # Terraform takes a pre-release only where a constraint names exactly that one.
    if known is None or "-" in version:
        return version == constraint.strip().lstrip("= ")
    return all(_meets(known, part) for part in constraint.split(",") if part.strip())


def _meets(version: _Version, part: str) -> bool:
    found = _PART.fullmatch(part)
    if not found:
        return False
    given = [int(number) for number in found[2].split(".")]
    major, minor, patch = [*given, 0, 0][:3]
    bound = (major, minor, patch)
    if found[1] != "~>":
        return _COMPARE[found[1] or "="](version, bound)
    # Only the last number given may grow.
    fixed = max(len(given) - 1, 1)
    return version >= bound and version[:fixed] == bound[:fixed]
