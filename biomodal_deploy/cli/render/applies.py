"""What an apply did."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from biomodal_deploy.aws.ledger.model import Ledger, Leftovers
from biomodal_deploy.cli.render.ledger import show_leftovers
from biomodal_deploy.config.state_bucket import STACK_PREFIX
from biomodal_deploy.plan import PlanKind
from biomodal_deploy.review.report.data import destroy_data
from biomodal_deploy.text import counted
from biomodal_deploy.workflow.applying import Applied


def show_applied(console: Console, applied: Applied, remains: Leftovers | None = None) -> None:
    """Print how many changes were made, what is left after a destroy, and where to go on."""
    count = counted(len(applied.run.completed), "change")
    line = Text("Done: ", style="good").append(
        f"{count} made in {applied.seconds:.0f} s.", style="default"
    )
    console.print(line)
    if applied.run.interrupted:
        console.print("It was asked to stop, and had nothing left to do.", style="warning")
    manifest = applied.bundle.manifest
    if manifest.facts.stack.startswith(STACK_PREFIX):
        console.print("Next: biomodal-aws backend policy", style="quiet")
    elif manifest.kind is PlanKind.APPLY:
        console.print(f"Next: biomodal-aws output --stack {manifest.facts.stack}", style="quiet")
    if remains:
        # Only here: what destroys nothing should not wait for the ledger.

        show_leftovers(console, remains)


def applied_data(
    applied: Applied, ledger: Ledger | None = None, remains: Leftovers | None = None
) -> dict[str, object]:
    """Return what an apply did, as data for programs; of a destroy also what was and is left."""
    data: dict[str, object] = {
        "bundle": applied.bundle.id,
        "stack": applied.bundle.manifest.facts.stack,
        "kind": str(applied.bundle.manifest.kind),
        "seconds": round(applied.seconds, 1),
        "completed": [
            {"address": each.address, "action": each.action, "id": each.id}
            for each in applied.run.completed
        ],
        "interrupted": applied.run.interrupted,
    }
    if ledger or remains:
        data |= destroy_data(ledger, remains)
    return data
