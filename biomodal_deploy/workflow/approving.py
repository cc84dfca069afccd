"""Whether a sealed plan needs people's approvals, and has them."""

from __future__ import annotations

from typing import Final

from biomodal_deploy.config.stack import Approvals
from biomodal_deploy.errors import UsageError
from biomodal_deploy.plan import Plan, PlanKind
from biomodal_deploy.plan.history import Event, History
from biomodal_deploy.plan.sealed import SealedPlan
from biomodal_deploy.plan.sealed.approvals import (
    ApprovalStatus,
    judge_approvals,
    require_approvals,
)
from biomodal_deploy.review.report.access import access_changes
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.stack import Stack

CARRIED: Final = "carried_from"
"""Where the history has the plans whose approvals an apply was started with."""


def check_approvals(stack: Stack, sealed_plan: SealedPlan) -> ApprovalStatus:
    """Return the approvals of a sealed plan; none where its stack's settings ask for none.

    Args:
        stack: The stack, with its settings as they are now.
        sealed_plan: The sealed plan.

    Raises:
        SealedPlanRefused: Approvals are missing.
        UsageError: The file of signers cannot be read.
    """
    policy = stack.settings.approvals
    if policy is None or not needs_approval(policy, sealed_plan.plan(), sealed_plan.manifest.kind):
        return ApprovalStatus(required=0)
    spent = spent_plans(stack.history)
    return require_approvals(sealed_plan, policy, stack.location.project_dir, spent)


def approval_status(location: Location, sealed_plan: SealedPlan) -> ApprovalStatus | None:
    """Return the approvals of a sealed plan, for people; None where it needs none.

    Args:
        location: The project, with its stacks' settings.
        sealed_plan: The sealed plan.
    """
    policy = location.settings(sealed_plan.manifest.facts.stack).approvals
    if policy is None or not needs_approval(policy, sealed_plan.plan(), sealed_plan.manifest.kind):
        return None
    try:
        spent = spent_plans(History(location.plans, sealed_plan.manifest.facts.stack))
        return judge_approvals(sealed_plan, policy, location.project_dir, spent)
    except UsageError as error:
        return ApprovalStatus(required=policy.required, problem=str(error))


def spent_plans(history: History) -> set[str]:
    """Return the plans whose approvals were used: an approval is good for one apply, too."""
    found: set[str] = set()
    for entry in history.entries():
        if entry.event is Event.APPLY_START:
            found |= {entry.sealed_plan or "", *str(entry.details.get(CARRIED, "")).split(", ")}
    return found


def needs_approval(policy: Approvals, plan: Plan, kind: PlanKind) -> bool:
    """Whether a plan is one of those that need approvals."""
    return plan.has_changes and (
        "any" in policy.needed
        or ("destroy" in policy.needed and (kind is PlanKind.DESTROY or bool(plan.losses)))
        or ("access" in policy.needed and any(each.gains for each in access_changes(plan)))
    )
