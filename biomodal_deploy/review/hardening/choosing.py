"""The differences that a person asks for."""

from __future__ import annotations

from collections.abc import Sequence

from biomodal_deploy.errors import UsageError
from biomodal_deploy.review.hardening import DIFFERENCES, Difference
from biomodal_deploy.suggestions import did_you_mean


def chosen(points: Sequence[str]) -> tuple[Difference, ...]:
    """Return the differences of these ids, in the usual order; all for none.

    Raises:
        UsageError: There is no such point.
    """
    known = [each.id for each in DIFFERENCES]
    for point in points:
        if point not in known:
            raise UsageError(
                "There is no such point",
                field="POINT",
                value=point,
                fix=did_you_mean(point, known, otherwise=f"use {', '.join(known)}"),
            )
    return tuple(each for each in DIFFERENCES if not points or each.id in points)
