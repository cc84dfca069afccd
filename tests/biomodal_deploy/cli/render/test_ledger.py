"""What a person reads before a destroy and after it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from rich.console import Console

from biomodal_deploy.aws.ledger.model import Fate, Holding, Ledger, Leftover, Leftovers, Unread
from biomodal_deploy.cli.render.ledger import show_ledger, show_leftovers
from biomodal_deploy.review.report.data import destroy_data
from tests.support import screens

NOW: Final = datetime(2026, 11, 28, tzinfo=UTC)


def ledger(*holdings: tuple[str, Fate, str]) -> Ledger:
    """Return a ledger with these holdings."""
    return Ledger(
        stack="lab",
        region="eu-west-2",
        at=NOW,
        seconds=1.0,
        holdings=tuple(
            Holding(kind=kind, name="analysis-vm", fate=fate, line=line, fixes=("a command",))
            for kind, fate, line in holdings
        ),
    )


def remains(*left: Leftover, unread: tuple[Unread, ...] = ()) -> Leftovers:
    """Return what is left."""
    return Leftovers(stack="lab", region="eu-west-2", at=NOW, seconds=1.0, left=left, unread=unread)


def snapshot(number: int, *, ours: bool) -> Leftover:
    """Return a snapshot that is left."""
    return Leftover(
        kind="snapshot",
        name=f"snap-{number}",
        line="8 GiB",
        bills=True,
        ours=ours,
        commands=(f"aws ec2 delete-snapshot --snapshot-id snap-{number}",),
    )


def printed(what: Ledger | Leftovers) -> list[str]:
    """Return the lines on a narrow screen."""

    def show(console: Console) -> None:
        show_ledger(console, what) if isinstance(what, Ledger) else show_leftovers(console, what)

    return [line for line in screens.printed(show, 60).splitlines() if line]


def test_what_stops_the_destroy_comes_first() -> None:
    """Whatever order it was read in, with its commands whole, and a sum."""
    lines = printed(
        ledger(
            ("vm", Fate.LOST, "it runs"),
            ("log-group", Fate.UNKNOWN, "the caller may not logs:DescribeLogGroups"),
            ("bucket", Fate.STOPS, "3 objects, 1.0 KiB, and a reason longer than it"),
        )
    )
    assert lines == [
        "What lab holds  eu-west-2",
        "  stops        bucket s3://analysis-vm: 3 objects, 1.0 KiB, and a reason longer than it",
        "                 a command",
        "  lost         VM analysis-vm: it runs",
        "                 a command",
        "  unknown      log group analysis-vm: the caller may not logs:DescribeLogGroups",
        "                 a command",
        "1 thing makes the destroy fail halfway; 1 lost with it; 1 that nobody could tell of.",
    ]


def test_nothing_to_lose() -> None:
    """An empty state and an empty bucket are two things."""
    assert "the state holds no such thing" in printed(ledger())[-1]
    assert printed(ledger(("bucket", Fate.EMPTY, "empty")))[-1] == "Nothing in it would be lost."


def test_what_is_left() -> None:
    """Ours with what removes it, a few of those that others may own, and the verdict."""
    found = remains(
        snapshot(0, ours=True), *(snapshot(number, ours=False) for number in range(1, 9))
    )
    lines = printed(found)
    assert lines[1:3] == [
        "  bills         snapshot snap-0: 8 GiB",
        "                 aws ec2 delete-snapshot --snapshot-id snap-0",
    ]
    assert "  and 3 more: -o json has all" in lines
    assert lines[-1] == "1 thing left that may still bill."
    assert destroy_data(None, found)["remains"]["bills"] == 1


def test_nothing_is_left_and_nobody_knows() -> None:
    """Two ends that must not look alike."""
    assert printed(remains()) == ["Nothing is left that bills."]
    unknown = remains(unread=(Unread(what="snapshots", line="no network", fix="mend it"),))
    assert printed(unknown)[1:] == [
        "  unknown       snapshots: no network. Fix: mend it",
        "Nothing was found that bills, but 1 question without an answer: it is not known.",
    ]
    assert not destroy_data(None, unknown)["remains"]["clean"]
    assert destroy_data(None, remains())["remains"]["clean"]


def test_for_programs() -> None:
    """Every fate is counted, those with none too."""
    counts = destroy_data(ledger(("bucket", Fate.STOPS, "x")), None)["ledger"]["counts"]
    assert counts == {**{each.value: 0 for each in Fate}, "stops": 1}
