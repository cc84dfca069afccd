"""Whether a history is whole, and where it is not."""

from __future__ import annotations

from dataclasses import dataclass

from biomodal_deploy.plan.history.entry import START, Entry, Event, newer_format, parse_entry
from biomodal_deploy.plan.sealed.digests import sha256


@dataclass(frozen=True)
class Chain:
    """What a history holds, and whether it is whole.

    Attributes:
        entries: Those before the break.
        broken_at: The line that breaks the chain, from 1; None where none does.
        newer: Whether a newer version of this program wrote that line.
        cut_short: The last line is not whole: a process died while it wrote. The next entry
            mends that and says so.
    """

    entries: tuple[Entry, ...]
    broken_at: int | None = None
    why: str = ""
    newer: bool = False
    cut_short: bool = False

    @property
    def head(self) -> str:
        """The digest that stands for everything up to here."""
        return self.entries[-1].sha256 if self.entries else START


def read_chain(content: bytes) -> Chain:
    """Follow the chain through a file's contents."""
    *lines, rest = content.split(b"\n")
    chain = _follow(lines)
    if not rest or chain.broken_at:
        return chain
    whole = _follow([*lines, rest])  # only the line's end is missing
    cut_short = whole.broken_at is not None and not whole.newer
    return Chain(chain.entries, cut_short=True) if cut_short else whole


def _follow(lines: list[bytes]) -> Chain:
    entries: list[Entry] = []
    prev = START
    cut: bytes | None = None
    for number, line in enumerate(lines, start=1):
        entry = parse_entry(line)
        if entry is None:
            if found := newer_format(line):
                why = f"it was written by a newer version of biomodal-aws (format {found})"
                return Chain(tuple(entries), number, why, newer=True)
            # Only an entry that names exactly this fragment explains a line that is none.
            if cut is not None or number == len(lines):
                return Chain(tuple(entries), number, "it is no entry of this history")
            cut = line
            continue
        why = _wrong(entry, prev, len(entries), cut)
        if why:
            return Chain(tuple(entries), number if cut is None else number - 1, why)
        entries.append(entry)
        prev, cut = entry.sha256, None
    return Chain(tuple(entries))


def _wrong(entry: Entry, prev: str, before: int, cut: bytes | None) -> str:
    if cut is None:
        if entry.event is Event.MENDED:
            return "the line that it says was cut short is gone"
    elif entry.event is not Event.MENDED or entry.details.get("sha256") != sha256(cut):
        return "it is no entry of this history"
    if entry.prev != prev or entry.seq != before + 1:
        return "it does not follow the entry before: one was changed, taken out or put in"
    return ""
