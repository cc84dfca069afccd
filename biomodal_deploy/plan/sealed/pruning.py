"""Clearing away what sealed plans no longer need: their secrets first, then their logs."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from biomodal_deploy.errors import SealedPlanRefused
from biomodal_deploy.plan.sealed.sealed import SealedPlan, holds_secrets, sealed_plans
from biomodal_deploy.plan.sealed.sealing import at_work, clear_leftovers, drafts
from biomodal_deploy.plan.sealed.use import ENDED, UseState

KEPT_LOGS: Final = timedelta(days=30)


@dataclass(frozen=True)
class Pruned:
    """What was cleared away.

    Attributes:
        plan_files: Of used and of expired plans.
        drafts: Folders of failed plans, with their logs.
    """

    plan_files: tuple[Path, ...]
    drafts: tuple[Path, ...]


def prune(
    plans: Path, stack: str, *, now: datetime | None = None, kept_logs: timedelta = KEPT_LOGS
) -> Pruned:
    """Clear a stack's folder; what was planned and what became of it stays."""
    clock = now or datetime.now(UTC)
    clear_leftovers(plans, stack)
    files = []
    for path in sealed_plans(plans, stack):
        # Looked at first: most are over and cleared long since, and reading each takes its time.
        if holds_secrets(path) and (sealed_plan := _over(path, clock)):
            sealed_plan.drop_plan_file()
            files.append(sealed_plan.plan_file)
    old = []
    for draft in drafts(plans, stack):
        if draft.stat().st_mtime < (clock - kept_logs).timestamp():
            shutil.rmtree(draft, ignore_errors=True)
            old.append(draft)
    return Pruned(tuple(files), tuple(old))


def _over(path: Path, clock: datetime) -> SealedPlan | None:
    try:
        sealed_plan = SealedPlan.load(path)
    except SealedPlanRefused:
        return None  # somebody should look at it first
    ended = (
        sealed_plan.use.state in ENDED
        or _has_died(sealed_plan)
        or sealed_plan.manifest.is_expired(clock)
    )
    return sealed_plan if ended else None


def _has_died(sealed_plan: SealedPlan) -> bool:
    """Whether the process that claimed it is gone, and its Terraform too."""
    use = sealed_plan.use
    if use.state is not UseState.UNKNOWN or at_work(sealed_plan.logs):
        return False
    # One on another machine may be at it; a claim that cannot be read names nobody who could be.
    return use.claim is None or use.claim.by.is_running() is False
