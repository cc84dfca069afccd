"""The two profiles against each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import Console
from rich.text import Text

from biomodal_deploy.cli.render.console import Line, print_lines
from biomodal_deploy.review.hardening import Difference

_INDENT = 2
_LABEL = 12


def show_differences(console: Console, differences: Sequence[Difference]) -> None:
    """Print each difference as a list: what is, what it becomes, and what to make of it."""
    for area, listed in groupby(differences, key=lambda each: each.area):
        print_lines(console, [Line(Text(area.upper(), style="quiet"))])
        for each in listed:
            print_lines(console, _lines(each))


def _lines(difference: Difference) -> Iterator[Line]:
    yield Line(Text.assemble((difference.title, "bold"), "  ", (difference.id, "quiet")), _INDENT)
    for label, text in (
        ("documented", difference.documented),
        ("hardened", difference.hardened),
        ("risk", difference.risk),
        ("reason", difference.reason),
        ("way back", difference.back),
        ("module", "" if difference.module == "same" else difference.module),
    ):
        if text:
            head = f"{'':{_INDENT}}{label:<{_LABEL}}"
            yield Line(Text.assemble((head, "quiet"), text), len(head))
    yield Line(Text())
