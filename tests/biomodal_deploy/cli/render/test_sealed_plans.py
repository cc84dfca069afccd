"""What a person reads of a sealed plan."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from biomodal_deploy.cli.render.console import _THEME
from biomodal_deploy.cli.render.sealed_plans import show_sealed_plan
from biomodal_deploy.plan import PlanKind
from tests.support.plans import plan, resource
from tests.support.sealed_plans import sealed


def printed(folder: Path, *addresses: str) -> list[str]:
    """Return the lines for a plan that deletes these."""
    losses = plan(*(resource(address, "delete", {"a": 1}, None) for address in addresses))
    sealed_plan = sealed(folder / "plans", of=losses, kind=PlanKind.DESTROY)
    stream = io.StringIO()
    show_sealed_plan(Console(file=stream, width=400, theme=_THEME), sealed_plan, sealed_plan.plan())
    return stream.getvalue().splitlines()


def test_all_allowances_can_be_copied_at_once(tmp_path: Path) -> None:
    """Each refusal names its own, and one line holds them all, quoted for a shell."""
    lines = printed(tmp_path, "aws_eip.ip", "aws_instance.vm", "aws_s3_bucket.data[0]")
    assert (
        "All of them: --allow-destroy aws_eip.ip --allow-destroy aws_instance.vm"
        " --allow-destroy 'aws_s3_bucket.data[0]'"
    ) in lines


def test_one_allowance_is_named_once(tmp_path: Path) -> None:
    """Where there is one refusal, its line is enough."""
    lines = printed(tmp_path, "aws_eip.ip", "aws_route.r")
    assert not [line for line in lines if line.startswith("All of them")]
