"""The stack as a picture: every planned resource, its action by shape, sign and colour, in SVG.

No colour stands in here: classes do, and the page's style sheet gives them their light and dark
colours. drawsvg escapes text and no attributes, so nothing of the plan ever becomes an attribute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import drawsvg

from biomodal_deploy.plan import Action
from biomodal_deploy.plan.references import plain
from biomodal_deploy.review.report import Entry, Report
from biomodal_deploy.review.report.access import Severity
from biomodal_deploy.review.report.formatting import act_of, one_line
from biomodal_deploy.review.report.kinds import Area, rank

MOST_NODES: Final = 150  # beyond it nobody finds anything in a picture
_ACTIONS: Final = list(Action)


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
    def name(self) -> str:
        """What tells it from others of its kind."""
        several = f"{len(self.entries):,} resources"
        return self.entries[0].address if len(self.entries) == 1 else several

    @property
    def short_name(self) -> str:
        """Its name without module and type, which stand elsewhere."""
        return self.name.rpartition(f"{self.entries[0].type}.")[2]


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
    """Return what to draw of a report: all that its plan has, unchanged resources included.

    Args:
        numbers: The number of each resource in the report, by address and deposed key.
    """
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
    nodes.sort(key=lambda node: (rank(node.label), _ACTIONS.index(node.action), node.name))
    areas = {area: [node for node in nodes if node.area is area] for area in Area}
    filled = {area: found for area, found in areas.items() if found}
    ordered = [node for found in filled.values() for node in found]
    return Diagram(filled, sorted(set(_edges(ordered))), len(entries), grouped)


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


_NODE_HEIGHT: Final = 46
_GAP: Final = 10
_PADDING: Final = 14
_HEAD: Final = 34
_GUTTER: Final = 56
_LETTER: Final = 7.3  # of the monospaced name, in pixels


# By its name: how wide a node is, and the areas of each column, from the left.
WIDTHS: Final[Mapping[str, tuple[int, Sequence[Sequence[Area]]]]] = {
    "wide": (
        250,
        (
            (Area.NETWORK, Area.WATCH),
            (Area.VM, Area.ROLES),
            (Area.BATCH, Area.OTHER),
            (Area.DATA, Area.IMAGES),
        ),
    ),
    "medium": (
        270,
        (
            (Area.NETWORK, Area.BATCH, Area.WATCH),
            (Area.VM, Area.ROLES, Area.DATA, Area.IMAGES, Area.OTHER),
        ),
    ),
    "narrow": (250, (tuple(Area),)),
}


class _Link(drawsvg.DrawingParentElement):  # type: ignore[misc]  # the library has no types
    """A link: it takes the keyboard's focus without a script."""

    TAG_NAME = "a"


@dataclass(frozen=True)
class _Box:
    x: float
    y: float
    width: float
    height: float
    column: int


def draw(diagram: Diagram, name: str) -> str:
    """Return the picture as an SVG element."""
    areas, boxes, size = _laid_out(diagram, *WIDTHS[name])
    drawing = drawsvg.Drawing(
        *size, id_prefix=f"{name}-", class_=f"picture {name}", role="group", aria_label="The stack"
    )
    for area, box in areas.items():
        panel = drawsvg.Group(class_="area")
        panel.append(drawsvg.Rectangle(box.x, box.y, box.width, box.height, rx=14))
        panel.append(drawsvg.Text(str(area), 13, box.x + _PADDING, box.y + 23, class_="area-name"))
        drawing.append(panel)
    lines = drawsvg.Group(class_="edges", aria_hidden="true")
    for start, end in diagram.edges:
        lines.append(_edge(boxes[start], boxes[end], start, end))
    drawing.append(lines)
    for index, (node, box) in enumerate(zip(diagram.nodes, boxes, strict=True)):
        drawing.append(_node(node, box, index))
    text: str = drawing.as_svg(header="", skip_js=True, skip_css=True)
    return text


def _laid_out(
    diagram: Diagram, width: int, layout: Sequence[Sequence[Area]]
) -> tuple[dict[Area, _Box], list[_Box], tuple[float, float]]:
    """Place areas and nodes; columns without nodes take no room.

    The picture is as wide without them: the page stretches it, and one column would become huge.
    """
    columns = [[area for area in column if area in diagram.areas] for column in layout]
    columns = [column for column in columns if column]
    areas: dict[Area, _Box] = {}
    found: dict[Area, list[_Box]] = {}
    panel = width + 2 * _PADDING
    bottom = 0.0
    for number, column in enumerate(columns):
        x, y = 2.0 + number * (panel + _GUTTER), 2.0
        for area in column:
            count = len(diagram.areas[area])
            height = _HEAD + count * (_NODE_HEIGHT + _GAP) + _PADDING - _GAP
            areas[area] = _Box(x, y, panel, height, number)
            found[area] = [
                _Box(
                    x + _PADDING,
                    y + _HEAD + index * (_NODE_HEIGHT + _GAP),
                    width,
                    _NODE_HEIGHT,
                    number,
                )
                for index in range(count)
            ]
            y += height + 18
        bottom = max(bottom, y - 18)
    total = len(layout) * (panel + _GUTTER)
    boxes = [box for area in diagram.areas for box in found[area]]
    return areas, boxes, (max(total, panel), bottom + 4)


def _edge(start: _Box, end: _Box, first: int, second: int) -> Any:
    """Return a curve between two nodes: through the gutter, or around the column's right side."""
    path = drawsvg.Path(class_="edge", data_from=first, data_to=second)
    y1, y2 = start.y + start.height / 2, end.y + end.height / 2
    if start.column == end.column:
        x = start.x + start.width
        bend = x + 18 + min(abs(y2 - y1) / 14, _GUTTER - 8)
        return path.M(x, y1).C(bend, y1, bend, y2, x, y2)
    right = end.column > start.column
    x1 = start.x + (start.width if right else 0)
    x2 = end.x + (0 if right else end.width)
    middle = _GUTTER if right else -_GUTTER
    return path.M(x1, y1).C(x1 + middle, y1, x2 - middle, y2, x2, y2)


def _node(node: Node, box: _Box, index: int) -> Any:
    sign, word, css = act_of(node.entries[0])
    target = f"#r{node.targets[0]}"
    link = _Link(
        href=target,
        class_=f"node {css}",
        data_node=index,
        data_targets=" ".join(map(str, node.targets)),
    )
    opens = ", opens access" if node.broadens else ""
    # The name that is read aloud, and shown under the pointer.
    link.append_title(one_line(f"{word}: {node.name} ({node.label}{opens})"))
    link.append(_shape(node.action, box))
    link.append(drawsvg.Text(sign, 15, box.x + 22, box.y + 28, class_="sign", text_anchor="middle"))
    x = box.x + 42
    room = int((box.width - 52) / _LETTER)
    head = f"{word.partition(',')[0]} {node.label}"  # the sign tells which order
    link.append(drawsvg.Text(_cut(head, room + room // 4), 11, x, box.y + 18, class_="kind"))
    link.append(drawsvg.Text(_cut(node.short_name, room), 12.5, x, box.y + 35, class_="name"))
    if node.broadens:
        mark = drawsvg.Group(class_="opens")
        mark.append(drawsvg.Circle(box.x + box.width - 6, box.y + 4, 9))
        mark.append(
            drawsvg.Text(
                "!", 12, box.x + box.width - 6, box.y + 8, text_anchor="middle", class_="mark"
            )
        )
        link.append(mark)
    return link


def _shape(action: Action, box: _Box) -> Any:
    """Return an outline that tells the action without its colour."""
    x, y, right, bottom = box.x, box.y, box.x + box.width, box.y + box.height
    middle, cut = box.y + box.height / 2, 10
    if action is Action.DELETE:  # a stop sign's corners
        points = [
            *(x + cut, y, right - cut, y, right, y + cut, right, bottom - cut),
            *(right - cut, bottom, x + cut, bottom, x, bottom - cut, x, y + cut),
        ]
        return drawsvg.Lines(*points, close=True, class_="shape")
    if action.replaces:  # points to both sides
        points = [
            *(x + cut, y, right - cut, y, right, middle),
            *(right - cut, bottom, x + cut, bottom, x, middle),
        ]
        return drawsvg.Lines(*points, close=True, class_="shape")
    if action is Action.UNKNOWN:  # leans
        points = [x + cut, y, right, y, right - cut, bottom, x, bottom]
        return drawsvg.Lines(*points, close=True, class_="shape")
    radius = {Action.CREATE: 12, Action.UPDATE: 0, Action.FORGET: 23}.get(action, 4)
    return drawsvg.Rectangle(x, y, box.width, box.height, rx=radius, class_="shape")


def _cut(text: str, most: int) -> str:
    line = one_line(text)
    return line if len(line) <= most else f"{line[: most - 1]}…"
