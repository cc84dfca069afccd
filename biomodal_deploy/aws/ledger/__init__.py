"""What a stack holds before a destroy, and what is left and bills after it.

A destroy plan names resources; it does not say what is in them, what will make it fail, or what it
never touches. Everything here only reads, nothing here deletes, and an account that does not answer
stops no destroy: what nobody could read is said to be unknown, never to be nothing.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel

from biomodal_deploy.files import replace
from biomodal_deploy.plan.sealed.files import read_model
from biomodal_deploy.plan.sealed.sealed_plan import LEDGER_FILE, REMAINS_FILE
from biomodal_deploy.text import counted, sized

_BYTES: Final = "bytes"


class Data(BaseModel, frozen=True, extra="forbid"):
    """Frozen data."""


class Fate(StrEnum):
    """What a destroy does to a thing, or the thing to the destroy.

    STOPS: Terraform fails on it, and the rest is destroyed. MAY_STOP: it depends on what the line
    says. STAYS: the destroy does not touch it. UNKNOWN: nobody could tell.
    """

    STOPS = "stops"
    MAY_STOP = "may-stop"
    LOST = "lost"
    STAYS = "stays"
    EMPTY = "empty"
    GONE = "gone"
    UNKNOWN = "unknown"


# What stops a destroy first, then what it loses: the order in which people read them.
FATES: Final = (
    Fate.STOPS,
    Fate.MAY_STOP,
    Fate.LOST,
    Fate.STAYS,
    Fate.UNKNOWN,
    Fate.GONE,
    Fate.EMPTY,
)


class Amount(Data):
    """How much there is of something.

    Attributes:
        what: What is counted: `objects`, `bytes`, `images`, ...
        count: How much was counted.
        more: Whether counting was ended early, so that there is more than that.
    """

    what: str
    count: int
    more: bool = False

    def words(self) -> str:
        """Return it for people: `more than 12,000 objects`, `3.1 GiB`."""
        if self.what == _BYTES:
            text = sized(self.count)
        else:
            text = counted(self.count, self.what.removesuffix("s"))
        return f"more than {text}" if self.more else text


class Holding(Data):
    """One thing that a stack holds.

    Attributes:
        kind: A stable word: `bucket`, `repository`, `job-queue`, `vm`, `volume`, ...
        name: What AWS calls it.
        address: Where Terraform knows it; None for what it does not manage.
        fate: What becomes of it.
        line: What was found, in one line.
        amounts: The same in numbers.
        fixes: Commands and settings that solve it, or keep what would be lost.
    """

    kind: str
    name: str
    address: str | None = None
    fate: Fate
    line: str
    amounts: tuple[Amount, ...] = ()
    fixes: tuple[str, ...] = ()


class Ledger(Data):
    """What a stack holds that a destroy plan does not show.

    Attributes:
        stack: The stack.
        region: Where it was looked; None where that is not known.
        at: When.
        seconds: How long it took.
        holdings: What was found, and what could not be read.
    """

    format: Literal[1] = 1
    stack: str
    region: str | None
    at: AwareDatetime
    seconds: float
    holdings: tuple[Holding, ...]

    def of(self, *fates: Fate) -> tuple[Holding, ...]:
        """Return the holdings of these fates."""
        return tuple(each for each in self.holdings if each.fate in fates)


class Leftover(Data):
    """One thing that is still there after a destroy.

    Attributes:
        kind: A stable word.
        name: What AWS calls it.
        line: What it is, in one line.
        bills: Whether it costs money as it is.
        ours: Whether it is this stack's for certain: known by its id or name. Else it only
            carries the same tag, which other stacks may carry too.
        commands: What removes it, in this order; nothing here runs them.
    """

    kind: str
    name: str
    line: str
    bills: bool
    ours: bool = True
    commands: tuple[str, ...]


class Unread(Data):
    """Something that could not be looked for.

    Attributes:
        what: What.
        line: Why not.
        fix: How to fix it.
    """

    what: str
    line: str
    fix: str | None = None


class Leftovers(Data):
    """What is left of a stack after a destroy.

    Attributes:
        stack: The stack.
        region: Where it was looked; None where that is not known.
        at: When.
        seconds: How long it took.
        left: What is still there.
        unread: What nobody could look for.
    """

    format: Literal[1] = 1
    stack: str
    region: str | None
    at: AwareDatetime
    seconds: float
    left: tuple[Leftover, ...] = ()
    unread: tuple[Unread, ...] = ()

    @property
    def bills(self) -> tuple[Leftover, ...]:
        """What is this stack's and still costs money."""
        return tuple(each for each in self.left if each.bills and each.ours)

    @property
    def clean(self) -> bool:
        """Whether nothing of it is left that bills, and everything could be looked for."""
        return not self.bills and not self.unread

    def sentence(self) -> str:
        """Say in one line how it ended."""
        unread = f"{counted(len(self.unread), 'question')} without an answer"
        if self.bills:
            rest = f", and {unread}" if self.unread else ""
            return f"{counted(len(self.bills), 'thing')} left that may still bill{rest}"
        if self.unread:
            return f"nothing was found that bills, but {unread}: it is not known"
        return "nothing is left that bills"


_MOST_BYTES = 20_000_000


def save_ledger(folder: Path, ledger: Ledger) -> None:
    """Keep a ledger in a sealed plan's folder."""
    replace(folder / LEDGER_FILE, ledger.model_dump_json(indent=2).encode() + b"\n")


def save_leftovers(folder: Path, remains: Leftovers) -> None:
    """Keep what was left in a sealed plan's folder."""
    replace(folder / REMAINS_FILE, remains.model_dump_json(indent=2).encode() + b"\n")


def saved_ledger(folder: Path) -> Ledger | None:
    """Return the ledger that was taken for a sealed plan; None where there is none to read."""
    return read_model(folder / LEDGER_FILE, Ledger, _MOST_BYTES)


def saved_leftovers(folder: Path) -> Leftovers | None:
    """Return what was left after a sealed plan was applied; None where there is none to read."""
    return read_model(folder / REMAINS_FILE, Leftovers, _MOST_BYTES)
