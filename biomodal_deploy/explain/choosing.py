"""The differences that a person asks for."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from biomodal_deploy.errors import UsageError
from biomodal_deploy.explain import DIFFERENCES, Difference


def chosen(points: Sequence[str]) -> tuple[Difference, ...]:
    """Return the differences of these ids, in the usual order; all for none.

    Raises:
        UsageError: There is no such point.
    """
    known = [each.id for each in DIFFERENCES]
    for point in points:
        if point not in known:
            close = get_close_matches(point, known, n=1)
            raise UsageError(
                "There is no such point",
                field="POINT",
                value=point,
                fix=f'did you mean "{close[0]}"?' if close else f"use {', '.join(known)}",
            )
    return tuple(each for each in DIFFERENCES if not points or each.id in points)
