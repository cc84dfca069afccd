"""A report as one HTML file that needs nothing else and asks nobody for anything.

Jinja escapes all that comes from the plan. The policy in the page's head lets no request leave it,
and runs the two texts that are known here by their digests, and no other.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from biomodal_deploy.plan import AttributeChange
from biomodal_deploy.review.report import Entry, Report
from biomodal_deploy.review.report.formatting import (
    SIGNS,
    act_of,
    action_class,
    change_words,
    one_line,
    spelled,
)
from biomodal_deploy.review.report.kinds import Area
from biomodal_deploy.review.report.picture import WIDTHS, diagram_of, draw

_MOST_ROWS: Final = 60  # of one resource
_ALL_ROWS: Final = 20_000  # of the page; the JSON report has the rest
# The filters, in this order: class, and what it is called.
_FILTERS: Final = {
    "a-create": "create",
    "a-update": "update",
    "a-replace": "replace",
    "a-delete": "destroy",
    "a-forget": "forget",
    "a-unknown": "unknown",
    "a-move": "move, import",
    "a-read": "read",
    "a-no-op": "unchanged",
}


@dataclass(frozen=True)
class Row:
    """One resource on the page.

    Attributes:
        number: What the picture's nodes point at.
        first: Whether it stands here and elsewhere only a link to it.
        attributes: Path, before, after, and whether it forces the replacement.
        missing: How many more attributes it has.
    """

    entry: Entry
    number: int
    first: bool
    attributes: tuple[tuple[str, str, str, bool], ...] = ()
    missing: int = 0


@dataclass
class _Page:
    """The resources of a report, numbered, with what room for their attributes is left."""

    numbers: dict[tuple[str, str | None], int]
    left: int = _ALL_ROWS
    cut: int = 0
    shown: set[int] = field(default_factory=set)

    def rows(self, entries: Iterable[Entry]) -> list[Row]:
        return [self._row(entry) for entry in entries]

    def _row(self, entry: Entry) -> Row:
        number = self.numbers[entry.address, entry.deposed]
        if number in self.shown:
            return Row(entry, number, first=False)
        self.shown.add(number)
        most = min(_MOST_ROWS, self.left)
        kept = entry.attributes[:most]
        self.left -= len(kept)
        self.cut += len(entry.attributes) - len(kept)
        return Row(
            entry,
            number,
            first=True,
            attributes=tuple(_attributes(kept)),
            missing=len(entry.attributes) - len(kept),
        )


def html(report: Report) -> str:
    """Return a report as HTML."""
    every = [*report.entries, *report.reads, *report.unchanged]
    page = _Page({(each.address, each.deposed): index for index, each in enumerate(every)})
    diagram = diagram_of(report, page.numbers)
    style, script = _text("page.css"), _text("page.js")
    signs = {css: sign for sign, _, css in map(act_of, reversed(every))}
    return _template().render(
        report=report,
        policy=_policy(style, script),
        style=Markup(style),  # noqa: S704  # ours, from the package
        script=Markup(script),  # noqa: S704  # ours, from the package
        losses=page.rows(report.losses),
        holdings=report.holdings,
        unknown=page.rows(report.unknown),
        forgotten=page.rows(report.forgotten),
        groups=[(group.construct_path, page.rows(group.entries)) for group in report.groups],
        moved=page.rows(report.moved),
        imported=page.rows(report.imported),
        reads=page.rows(report.reads),
        unchanged=page.rows(report.unchanged),
        drifted=[(each, tuple(_attributes(each.attributes))) for each in report.drift.entries],
        missing=page.cut,
        diagram=diagram,
        pictures=[Markup(draw(diagram, name)) for name in WIDTHS],  # noqa: S704  # escaped there
        actions=[(word, signs[css], css) for css, word in _FILTERS.items() if css in signs],
        areas=[(list(Area).index(area), str(area)) for area in diagram.areas],
    )


def _attributes(changes: Iterable[AttributeChange]) -> Iterator[tuple[str, str, str, bool]]:
    for change in changes:
        before, after = change_words(change)
        yield one_line(change.path), before, after, change.forces_replacement


def _policy(style: str, script: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_digest(style)}'",
            f"script-src '{_digest(script)}'",
            "img-src data:",  # the empty icon, without which a browser asks for one
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _text(name: str) -> str:
    path = files("biomodal_deploy.review.report") / "page" / name
    return path.read_text(encoding="utf-8").strip()


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("biomodal_deploy.review.report", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "line": one_line,
        "spelled": spelled,
        "signs": lambda action: SIGNS[action],
        "act": act_of,
        "css": action_class,
        "area": lambda area: list(Area).index(area),
    }
    return environment.get_template("page.html.j2")
