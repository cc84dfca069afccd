"""Whether a sealed plan needs people's approvals, and has them."""

from __future__ import annotations

from biomodal_deploy.config.stack import Approvals
from biomodal_deploy.errors import UsageError
from biomodal_deploy.plan import Plan, PlanKind
from biomodal_deploy.plan.sealed import SealedPlan
from biomodal_deploy.plan.sealed.approvals import (
    ApprovalStatus,
    judge_approvals,
    require_approvals,
)
from biomodal_deploy.review.report.access import access_changes
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.stack import Stack


def check_approvals(stack: Stack, sealed_plan: SealedPlan) -> list[str]:
    """Return who approved a sealed plan; nobody where its stack's settings ask for nobody.

    Args:
        stack: The stack, with its settings as they are now.
        sealed_plan: The sealed plan.

    Raises:
        SealedPlanRefused: Approvals are missing.
        UsageError: The file of signers cannot be read.
    """
    policy = stack.settings.approvals
    if policy is None or not needs_approval(policy, sealed_plan.plan(), sealed_plan.manifest.kind):
        return []
    return require_approvals(sealed_plan, policy, stack.location.project_dir)


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
        return judge_approvals(sealed_plan, policy, location.project_dir)
    except UsageError as error:
        return ApprovalStatus(required=policy.required, problem=str(error))


def needs_approval(policy: Approvals, plan: Plan, kind: PlanKind) -> bool:
    """Whether a plan is one of those that need approvals."""
    return plan.has_changes and (
        "any" in policy.needed
        or ("destroy" in policy.needed and (kind is PlanKind.DESTROY or bool(plan.losses)))
        or ("access" in policy.needed and any(each.gains for each in access_changes(plan)))
    )
