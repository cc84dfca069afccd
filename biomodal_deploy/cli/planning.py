"""What `plan` does with its options: apart, to be imported while the stacks are synthesized."""

from __future__ import annotations

from biomodal_deploy.aws.ledger.model import Ledger
from biomodal_deploy.cli.options import Format
from biomodal_deploy.cli.render.costs import cost_summary
from biomodal_deploy.cli.render.sealed_plans import sealed_plan_data, show_sealed_plan
from biomodal_deploy.cli.session import emit
from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS, EXIT_GUARD
from biomodal_deploy.plan import PlanKind
from biomodal_deploy.workflow.approving import approval_status
from biomodal_deploy.workflow.destroying import take_ledger
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.planning import Planned, make_plan
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.variables import PlanRequest


def plan_stack(stack: Stack, request: PlanRequest) -> tuple[Planned, Ledger | None]:
    """Make and seal a plan, and read what the stack holds where that is to be destroyed."""
    planned = make_plan(stack, request)
    if request.kind is PlanKind.DESTROY:
        return planned, take_ledger(stack, planned.sealed_plan, planned.plan)
    return planned, None


def show_planned(
    location: Location,
    planned: Planned,
    ledger: Ledger | None,
    *,
    output: Format,
    full: bool,
    detailed_exitcode: bool,
) -> int:
    """Print a sealed plan that was just made, and return the exit status."""
    sealed_plan, plan = planned.sealed_plan, planned.plan
    approvals = approval_status(location, sealed_plan)
    changed = detailed_exitcode and sealed_plan.manifest.has_changes
    status = EXIT_FINDINGS if changed else EXIT_DONE
    return emit(
        sealed_plan_data(sealed_plan, plan, ledger, approvals=approvals),
        lambda console: show_sealed_plan(
            console,
            sealed_plan,
            plan,
            ledger,
            full=full,
            cost=cost_summary(plan, sealed_plan.manifest, location.project_dir),
            approvals=approvals,
        ),
        output,
        EXIT_GUARD if planned.refusals else status,
    )
