"""What is drawn: one node a resource, or one a kind and action where there are too many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from biomodal_deploy.plan import Action
from biomodal_deploy.plan.references import plain
from biomodal_deploy.review.report.access import Severity
from biomodal_deploy.review.report.kinds import Area, rank
from biomodal_deploy.review.report.model import Entry, Report
from biomodal_deploy.review.report.spelling import act_of

MOST_NODES: Final = 150  # beyond it nobody finds anything in a picture
_ORDER: Final = list(Action)


@dataclass(frozen=True)
class Node:
    """A box in the picture.

    Attributes:
        entries: The resources that it stands for.
        targets: The numbers of those resources in the report.
        broadens: Whether somebody gains access of high severity by one of them.
    """

    area: Area
    label: str
    action: Action
    entries: tuple[Entry, ...]
    targets: tuple[int, ...]
    broadens: bool = False

    @property
    def grouped(self) -> bool:
        """Whether it stands for several resources."""
        return len(self.entries) > 1

    @property
    def name(self) -> str:
        """What tells it from others of its kind."""
        if self.grouped:
            return f"{len(self.entries):,} resources"
        return self.entries[0].address

    @property
    def short_name(self) -> str:
        """Its name without module and type, which stand elsewhere."""
        if self.grouped:
            return self.name
        entry = self.entries[0]
        _, found, rest = entry.address.rpartition(f"{entry.type}.")
        return rest if found else entry.address


@dataclass(frozen=True)
class Diagram:
    """A picture's content.

    Attributes:
        areas: Nodes by area, in the order in which a person meets the areas.
        edges: Pairs of positions in `nodes`: the first refers to the second.
        resources: How many resources it shows.
        grouped: Whether nodes stand for several resources.
    """

    areas: Mapping[Area, Sequence[Node]]
    edges: Sequence[tuple[int, int]]
    resources: int
    grouped: bool

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes, area by area."""
        return tuple(node for nodes in self.areas.values() for node in nodes)


def diagram_of(report: Report, numbers: Mapping[tuple[str, str | None], int]) -> Diagram:
    """Return what to draw of a report: all that its plan has, unchanged resources included."""
    entries = [*report.entries, *report.reads, *report.unchanged]
    opened = {each.address for each in report.broadens if each.severity is Severity.HIGH}
    grouped = len(entries) > MOST_NODES
    clusters = _by_kind(entries) if grouped else [[entry] for entry in entries]
    nodes = [
        Node(
            area=cluster[0].area,
            label=cluster[0].label,
            action=cluster[0].action,
            entries=tuple(cluster),
            targets=tuple(numbers[entry.address, entry.deposed] for entry in cluster),
            broadens=any(entry.address in opened for entry in cluster),
        )
        for cluster in clusters
    ]
    nodes.sort(key=lambda node: (rank(node.label), _ORDER.index(node.action), node.name))
    areas = {area: [node for node in nodes if node.area is area] for area in Area}
    filled = {area: found for area, found in areas.items() if found}
    diagram = Diagram(filled, (), len(entries), grouped)
    return Diagram(filled, tuple(sorted(set(_edges(diagram.nodes)))), len(entries), grouped)


def _by_kind(entries: Iterable[Entry]) -> list[list[Entry]]:
    clusters: dict[tuple[Area, str, str], list[Entry]] = {}
    for entry in entries:
        sign, _, _ = act_of(entry)
        clusters.setdefault((entry.area, entry.label, sign), []).append(entry)
    return list(clusters.values())


def _edges(nodes: Sequence[Node]) -> Iterator[tuple[int, int]]:
    places: dict[str, set[int]] = {}
    for index, node in enumerate(nodes):
        for entry in node.entries:
            places.setdefault(plain(entry.address), set()).add(index)
    for index, node in enumerate(nodes):
        for name in {name for entry in node.entries for name in entry.refers_to}:
            yield from ((index, other) for other in places.get(name, ()) if other != index)
