"""What a stack holds before a destroy, and what is left after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from biomodal_deploy.aws.ledger.model import Fate, Holding, Ledger, Leftover, Leftovers
from biomodal_deploy.text import counted

_ORDER: Final = {
    Fate.STOPS: ("stops", "bad"),
    Fate.MAY_STOP: ("may stop", "warning"),
    Fate.LOST: ("lost", "delete"),
    Fate.STAYS: ("stays", "update"),
    Fate.UNKNOWN: ("unknown", "warning"),
    Fate.GONE: ("gone", "quiet"),
    Fate.EMPTY: ("empty", "quiet"),
}
_WIDTH: Final = 13
_NAMES: Final = {
    "bucket": "bucket s3://",
    "vm": "VM ",
    "job-queue": "job queue ",
    "elastic-ip": "elastic IP ",
    "log-group": "log group ",
    "termination-protection": "VM ",
    "stop-protection": "VM ",
}
# What is of others is told by number: an account may have hundreds.
_OTHERS: Final = 5


def show_ledger(console: Console, ledger: Ledger) -> None:
    """Print what a stack holds, what stops its destroy first."""
    console.print()
    heading = Text(f"What {ledger.stack} holds", style="bold")
    console.print(heading.append(f"  {ledger.region or ''}", style="quiet"))
    for fate in _ORDER:
        for holding in ledger.of(fate):
            for line in _holding(holding):
                # A terminal may wrap it; we must not, or a command could not be copied whole.
                console.print(line, soft_wrap=True)
    console.print(_sum_of(ledger), soft_wrap=True)
    console.print()


def show_leftovers(console: Console, left: Leftovers) -> None:
    """Print what is left, each with the commands that remove it, and the verdict."""
    ours = [each for each in left.left if each.ours]
    others = [each for each in left.left if not each.ours]
    if left.left or left.unread:
        heading = Text(f"What is left of {left.stack}", style="bold")
        console.print(heading.append(f"  {left.region or ''}", style="quiet"))
    for each in ours:
        word, style = ("bills", "warning") if each.bills else ("costs nothing", "quiet")
        for line in _left(each, word, style):
            console.print(line, soft_wrap=True)
    for unread in left.unread:
        line = Text("  unknown".ljust(_WIDTH + 2), style="warning")
        fix = f". Fix: {unread.fix}" if unread.fix else ""
        console.print(line.append(f" {unread.what}: {unread.line}{fix}", style=""), soft_wrap=True)
    if others:
        line = Text("Whose these are, only you know: they carry the same tag, as others may.")
        console.print(line, style="quiet")
        for each in others[:_OTHERS]:
            for line in _left(each, "same tag", "quiet"):
                console.print(line, soft_wrap=True)
        if len(others) > _OTHERS:
            console.print(f"  and {len(others) - _OTHERS} more: -o json has all", style="quiet")
    sentence = left.sentence()
    style = "good" if left.clean else "warning"
    console.print(Text(f"{sentence[0].upper()}{sentence[1:]}.", style=style), soft_wrap=True)


def _holding(holding: Holding) -> Iterator[Text]:
    word, style = _ORDER[holding.fate]
    name = f"{_NAMES.get(holding.kind, f'{holding.kind} ')}{holding.name}"
    yield Text.assemble("  ", (word.ljust(_WIDTH), style), f"{name}: {holding.line}")
    yield from _indented(holding.fixes)


def _left(left: Leftover, word: str, style: str) -> Iterator[Text]:
    name = f"{_NAMES.get(left.kind, left.kind.replace('-', ' ') + ' ')}{left.name}"
    yield Text.assemble("  ", (word.ljust(_WIDTH), style), f" {name}: {left.line}")
    yield from _indented(left.commands)


def _indented(lines: Sequence[str]) -> Iterator[Text]:
    for line in lines:
        yield Text.assemble(" " * (_WIDTH + 4), line)


def _sum_of(ledger: Ledger) -> Text:
    stops, unknown = len(ledger.of(Fate.STOPS)), len(ledger.of(Fate.UNKNOWN))
    if not ledger.holdings:
        return Text("Nothing that could be lost: the state holds no such thing.", style="good")
    parts = []
    if stops:
        verb = "makes" if stops == 1 else "make"
        parts.append(f"{counted(stops, 'thing')} {verb} the destroy fail halfway")
    if may := len(ledger.of(Fate.MAY_STOP)):
        parts.append(f"{counted(may, 'thing')} may make it fail")
    if lost := len(ledger.of(Fate.LOST)):
        parts.append(f"{lost} lost with it")
    if stays := len(ledger.of(Fate.STAYS)):
        parts.append(f"{stays} not touched")
    if unknown:
        parts.append(f"{unknown} that nobody could tell of")
    if not parts:
        return Text("Nothing in it would be lost.", style="good")
    return Text(f"{'; '.join(parts)}.", style="bad" if stops else "warning")
