"""What a person reads of a sealed plan."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from biomodal_deploy.aws.ledger import Fate, Holding, Ledger, Leftover, Leftovers, Unread
from biomodal_deploy.cli.render.sealed_plans import show_ledger, show_leftovers, show_sealed_plan
from biomodal_deploy.plan import PlanKind
from biomodal_deploy.plan.sealed import SealedPlan
from biomodal_deploy.review.report.plan_json import destroy_data
from tests.support import screens
from tests.support.plans import plan, resource
from tests.support.screens import printed
from tests.support.sealed_plans import sealed


def lines_of(sealed_plan: SealedPlan) -> list[str]:
    """Return the lines for a sealed plan."""
    plan_ = sealed_plan.plan()
    return printed(lambda console: show_sealed_plan(console, sealed_plan, plan_), 400).splitlines()


def lost(folder: Path, *addresses: str, kind: PlanKind = PlanKind.APPLY) -> list[str]:
    """Return the lines for a plan that deletes these."""
    losses = plan(*(resource(address, "delete", {"a": 1}, None) for address in addresses))
    return lines_of(sealed(folder / "plans", of=losses, kind=kind))


def test_all_allowances_can_be_copied_at_once(tmp_path: Path) -> None:
    """Each refusal names its own, and the last line holds them all, quoted for a shell."""
    lines = lost(tmp_path, "aws_eip.ip", "aws_route.r", "aws_s3_bucket.data[0]")
    flags = "--allow-destroy aws_eip.ip --allow-destroy 'aws_s3_bucket.data[0]'"
    assert lines[-2:] == [
        "A guard refuses this plan: it cannot be applied.",
        f"If that loss is meant, plan again with: {flags}",
    ]


def test_a_refused_destroy_plan_leads_to_destroy(tmp_path: Path) -> None:
    """It lists the same, and asks for the stack's name in place of a flag for each."""
    lines = lost(tmp_path, "aws_eip.ip", "aws_instance.vm", kind=PlanKind.DESTROY)
    assert lines[-1] == "  biomodal-aws destroy --stack demo"
    assert not any("plan again with: " in line for line in lines)


def test_what_no_flag_of_loss_allows_is_corrected(tmp_path: Path) -> None:
    """A change that AWS always refuses has its way out in the refusal; then one plans again."""
    volumes = ({"root_block_device": [{"volume_size": size}]} for size in (100, 20))
    shrunk = plan(resource("aws_instance.vm", "update", *volumes))
    assert lines_of(sealed(tmp_path / "plans", of=shrunk))[-2:] == [
        "Correct what is refused, then plan again.",
        "Next: biomodal-aws plan --stack demo",
    ]


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


def on_narrow(what: Ledger | Leftovers) -> list[str]:
    """Return the lines on a narrow screen."""

    def show(console: Console) -> None:
        show_ledger(console, what) if isinstance(what, Ledger) else show_leftovers(console, what)

    return [line for line in screens.printed(show, 60).splitlines() if line]


def test_what_stops_the_destroy_comes_first() -> None:
    """Whatever order it was read in, with its commands whole, and a sum."""
    lines = on_narrow(
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
    assert "the state holds no such thing" in on_narrow(ledger())[-1]
    assert on_narrow(ledger(("bucket", Fate.EMPTY, "empty")))[-1] == "Nothing in it would be lost."


def test_what_is_left() -> None:
    """Ours with what removes it, a few of those that others may own, and the verdict."""
    found = remains(
        snapshot(0, ours=True), *(snapshot(number, ours=False) for number in range(1, 9))
    )
    lines = on_narrow(found)
    assert lines[1:3] == [
        "  bills         snapshot snap-0: 8 GiB",
        "                 aws ec2 delete-snapshot --snapshot-id snap-0",
    ]
    assert "  and 3 more: -o json has all" in lines
    assert lines[-1] == "1 thing left that may still bill."
    assert destroy_data(None, found)["remains"]["bills"] == 1


def test_nothing_is_left_and_nobody_knows() -> None:
    """Two ends that must not look alike."""
    assert on_narrow(remains()) == ["Nothing is left that bills."]
    unknown = remains(unread=(Unread(what="snapshots", line="no network", fix="correct it"),))
    assert on_narrow(unknown)[1:] == [
        "  unknown       snapshots: no network. Fix: correct it",
        "Nothing was found that bills, but 1 question without an answer: it is not known.",
    ]
    assert not destroy_data(None, unknown)["remains"]["clean"]
    assert destroy_data(None, remains())["remains"]["clean"]


def test_for_programs() -> None:
    """Every fate is counted, those with none too."""
    counts = destroy_data(ledger(("bucket", Fate.STOPS, "x")), None)["ledger"]["counts"]
    assert counts == {**{each.value: 0 for each in Fate}, "stops": 1}
