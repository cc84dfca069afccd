"""What a person reads of a sealed plan."""

from __future__ import annotations

from pathlib import Path

from biomodal_deploy.cli.render.sealed_plans import show_sealed_plan
from biomodal_deploy.plan import PlanKind
from biomodal_deploy.plan.sealed import SealedPlan
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
