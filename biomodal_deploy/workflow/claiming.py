"""A claim on a sealed plan that outlives this machine: an object in S3 that is put once.

Whoever restores the plans and the history from a copy makes a used plan look fresh. The claim is
elsewhere, and S3 itself refuses the second one (`If-None-Match`).
"""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime

from biomodal_deploy.config.stack import RemoteHistory
from biomodal_deploy.errors import EngineError, SealedPlanRefused
from biomodal_deploy.plan.sealed import SealedPlan
from biomodal_deploy.plan.sealed.approvals import ApprovalStatus
from biomodal_deploy.plan.sealed.facts import Actor, one_line
from biomodal_deploy.plan.sealed.files import canonical
from biomodal_deploy.workflow.stack import Stack


def claim(stack: Stack, sealed_plan: SealedPlan, approved: ApprovalStatus) -> None:
    """Claim a sealed plan in the history's bucket, where the stack's settings name one.

    With it the plans whose approvals it is applied with: they are good for one apply, too.

    Args:
        stack: The stack, with its settings as they are now.
        sealed_plan: The sealed plan, about to be applied.
        approved: Its approvals.

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
    for plan, digest in {**approved.carried, sealed_plan.id: sealed_plan.sha256}.items():
        _put(stack, settings, sealed_plan, (plan, digest), content)


def _put(
    stack: Stack,
    settings: RemoteHistory,
    sealed_plan: SealedPlan,
    claimed: tuple[str, str],
    content: bytes,
) -> None:
    # The AWS library takes a while to load, and few stacks have a history there.
    from biomodal_deploy.aws.buckets import put_once

    plan, digest = claimed
    key = f"{settings.prefix}{stack.name}/{digest}.json"
    region = settings.region or stack.settings.home_region or sealed_plan.manifest.facts.region
    try:
        there = put_once(
            region or "us-east-1",
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
            f"The plan {plan} is used: {what}. Next: biomodal-aws plan --stack {stack.name}",
        )


def _who(content: bytes) -> str:
    """Return by whom and when, as far as the object says it."""
    try:
        found = json.loads(content)
        return one_line(f" by {found['by']} at {found['at']}")
    except (ValueError, KeyError, TypeError):
        return ""
