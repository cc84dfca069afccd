"""Sections within a budget of bytes: what matters least goes first, and what went is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

_FEW: Final = 20  # what a long section keeps while others still have more
_SHARES: Final = 20  # a section below this part of the whole is no burden to it


@dataclass(frozen=True)
class Piece:
    """One item of a section, whole and in brief. A heading above it belongs to both."""

    whole: str
    brief: str


@dataclass
class Section:
    """A section, and how much of it is shown.

    Attributes:
        folded: Whether a reader has to open it.
        note: A line below the heading, kept with the items.
        count: What stands behind the heading; how many items there are where left out.
        shown: How many items are shown.
        brief: Whether they are in brief.
    """

    title: str
    pieces: Sequence[Piece]
    folded: bool = False
    note: str = ""
    count: str = ""
    shown: int = field(init=False)
    brief: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.shown = len(self.pieces)

    @property
    def left_out(self) -> str:
        """What is missing, in words; empty where nothing is."""
        missing = len(self.pieces) - self.shown
        if missing:
            return f"{missing:,} of {len(self.pieces):,} left out"
        return "details left out" if self.brief else ""

    def text(self) -> str:
        """Return the section as Markdown."""
        title = f"{self.title} ({self.count or f'{len(self.pieces):,}'})"
        lines = [piece.brief if self.brief else piece.whole for piece in self.pieces[: self.shown]]
        if self.note and lines:
            lines.insert(0, f"{self.note}\n")
        if self.left_out:
            lines.append(f"\n*{self.left_out}.*")
        body = "\n".join(lines)
        if self.folded:
            head = f"<details><summary><b>{title}</b></summary>"
            return f"\n{head}\n\n{body}\n\n</details>\n"
        return f"\n## {title}\n\n{body}\n"


def fit(sections: Sequence[Section], most: int) -> None:
    """Take from sections until all of them have room.

    Each round goes through the sections: first details of long ones go, then all but a few of
    their items, then all items of any. What room is left in the end is given back, to the most
    important first.

    Args:
        sections: The most important first.
        most: Bytes of UTF-8 for all of them.
    """
    for round_, burden in ((_abridge, most // _SHARES), (_keep_few, most // _SHARES), (_drop, 0)):
        for section in reversed(sections):
            if _size(sections) <= most:
                break
            if _size([section]) > burden:
                round_(section)
    for section in sections:
        if section.brief:
            section.brief = False
            section.brief = _size(sections) > most
    for section in sections:
        _give_back(section, most - _size(sections))


def _abridge(section: Section) -> None:
    section.brief = any(piece.whole != piece.brief for piece in section.pieces)


def _keep_few(section: Section) -> None:
    section.shown = min(section.shown, _FEW)


def _drop(section: Section) -> None:
    section.shown = 0


def _give_back(section: Section, room: int) -> None:
    if room <= 0 or section.shown == len(section.pieces):
        return
    used = len(section.text().encode())
    low, high = section.shown, len(section.pieces)
    while low < high:
        section.shown = (low + high + 1) // 2
        if len(section.text().encode()) - used <= room:
            low = section.shown
        else:
            high = section.shown - 1
    section.shown = low


def _size(sections: Sequence[Section]) -> int:
    return sum(len(section.text().encode()) for section in sections)
