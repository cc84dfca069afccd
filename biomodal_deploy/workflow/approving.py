"""Whether a sealed plan needs people's approvals, and has them."""

from __future__ import annotations

from biomodal_deploy.config.stack import Approvals
from biomodal_deploy.plan import Plan, PlanKind
from biomodal_deploy.plan.sealed import SealedPlan
from biomodal_deploy.plan.sealed.approvals import require_approvals
from biomodal_deploy.review.report.access import access_changes
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


def needs_approval(policy: Approvals, plan: Plan, kind: PlanKind) -> bool:
    """Whether a plan is one of those that need approvals."""
    return plan.has_changes and (
        "any" in policy.needed
        or ("destroy" in policy.needed and (kind is PlanKind.DESTROY or bool(plan.losses)))
        or ("access" in policy.needed and any(each.gains for each in access_changes(plan)))
    )
