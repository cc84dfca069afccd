"""Whether a sealed plan has the approvals that it needs, and the claim on it.

The claim outlives this machine: an object in S3 that is put once (`If-None-Match`). Whoever
restores the plans and the history from a copy makes a used plan look fresh; the claim is elsewhere.
"""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from typing import Final

from biomodal_deploy.config.settings import StackSettings
from biomodal_deploy.config.stack import Approvals, RemoteHistory
from biomodal_deploy.errors import EngineError, SealedPlanRefused, UsageError
from biomodal_deploy.plan import PlanKind
from biomodal_deploy.plan.history import Event, History
from biomodal_deploy.plan.sealed import SealedPlan
from biomodal_deploy.plan.sealed.approvals import ApprovalStatus, judge_approvals, require_approvals
from biomodal_deploy.plan.sealed.facts import Actor, one_line
from biomodal_deploy.plan.sealed.files import canonical
from biomodal_deploy.review.report.access.comparison import access_changes
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.stack import Stack

CARRIED: Final = "carried_from"
"""Where the history has the plans whose approvals an apply was started with."""


def check_approvals(stack: Stack, sealed_plan: SealedPlan) -> ApprovalStatus:
    """Return the approvals of a sealed plan; none where its stack's settings ask for none.

    Raises:
        SealedPlanRefused: Approvals are missing.
        UsageError: The file of signers cannot be read.
    """
    policy = _policy_for(stack.settings, sealed_plan)
    if policy is None:
        return ApprovalStatus(required=0)
    spent = spent_plans(stack.history)
    return require_approvals(sealed_plan, policy, stack.location.project_dir, spent)


def approval_status(location: Location, sealed_plan: SealedPlan) -> ApprovalStatus | None:
    """Return the approvals of a sealed plan, for people; None where it needs none."""
    policy = _policy_for(location.settings(sealed_plan.manifest.facts.stack), sealed_plan)
    if policy is None:
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


def _policy_for(settings: StackSettings, sealed_plan: SealedPlan) -> Approvals | None:
    """Return the approvals that a plan has to have; None where its stack asks for none of it."""
    policy, plan = settings.approvals, sealed_plan.plan()
    if policy is None or not plan.has_changes:
        return None
    loses = sealed_plan.manifest.kind is PlanKind.DESTROY or bool(plan.losses)
    needed = (
        "any" in policy.needed
        or ("destroy" in policy.needed and loses)
        or ("access" in policy.needed and any(each.gains for each in access_changes(plan)))
    )
    return policy if needed else None


def claim(stack: Stack, sealed_plan: SealedPlan, approved: ApprovalStatus) -> None:
    """Claim a sealed plan in the history's bucket, where the stack's settings name one.

    With it the plans whose approvals it is applied with: they are good for one apply, too.

    Raises:
        SealedPlanRefused: It was claimed before, on whichever machine.
        EngineError: The claim cannot be put; the plan stays unused.
    """
    settings = stack.settings.history
    if settings is None:
        return
    content = canonical(
        {
            "format": 1,
            "stack": stack.name,
            "sealed_plan": sealed_plan.id,
            "sha256": sealed_plan.sha256,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "by": Actor.me().who,
            "approved_by": approved.names,
            # What the history had until then: an end of it that is cut off later shows.
            "history_sha256": stack.history.verify_chain().head,
            "nonce": secrets.token_hex(16),
        }
    )
    for plan in (*approved.carried, sealed_plan.id):
        _put(stack, settings, sealed_plan, plan, content)


def _put(
    stack: Stack,
    settings: RemoteHistory,
    sealed_plan: SealedPlan,
    claimed: str,
    content: bytes,
) -> None:
    # The AWS library takes a while to load, and few stacks have a history there.
    from biomodal_deploy.aws.buckets import put_once

    # Not after the file's digest: the same manifest with a blank more is the same plan.
    key = f"{settings.prefix}{stack.name}/{claimed}.json"
    try:
        there = put_once(
            settings.region_or(stack.settings.home_region, sealed_plan.manifest.facts.region),
            settings.bucket,
            key,
            content,
            retain_days=settings.retain_days,
        )
    except EngineError as error:
        raise EngineError(
            f"the plan {sealed_plan.id} was not applied and stays unused: "
            f"{error.message.rstrip('.')}",
            advice=error.advice,
        ) from None
    if there != content:
        what = f"s3://{settings.bucket}/{key} says that it was applied{_who(there)}"
        raise SealedPlanRefused(
            "used",
            f"The plan {claimed} is used: {what}. Next: biomodal-aws plan --stack {stack.name}",
        )


def _who(content: bytes) -> str:
    """Return by whom and when, as far as the object says it."""
    try:
        found = json.loads(content)
        return one_line(f" by {found['by']} at {found['at']}")
    except (ValueError, KeyError, TypeError):
        return ""
