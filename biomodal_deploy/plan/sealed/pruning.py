"""Clearing away what sealed plans no longer need: their secrets first, then their logs."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from biomodal_deploy.errors import BundleRefused
from biomodal_deploy.plan.sealed.sealed import PLAN_FILE, Bundle, sealed_plans
from biomodal_deploy.plan.sealed.sealing import clear_leftovers, drafts
from biomodal_deploy.plan.sealed.use import ENDED

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
    """Clear a stack's folder; what was planned and what became of it stays.

    Args:
        plans: The folder of all sealed plans.
        stack: The stack.
        now: The time; now where None.
        kept_logs: How long the logs of failed plans are kept.
    """
    clock = now or datetime.now(UTC)
    clear_leftovers(plans, stack)
    files = []
    for path in sealed_plans(plans, stack):
        # Looked at first: most are over and cleared long since, and reading each takes its time.
        if (path / PLAN_FILE).exists() and (bundle := _over(path, clock)):
            bundle.drop_plan_file()
            files.append(bundle.plan_file)
    old = []
    for draft in drafts(plans, stack):
        if draft.stat().st_mtime < (clock - kept_logs).timestamp():
            shutil.rmtree(draft, ignore_errors=True)
            old.append(draft)
    return Pruned(tuple(files), tuple(old))


def _over(path: Path, clock: datetime) -> Bundle | None:
    try:
        bundle = Bundle.load(path)
    except BundleRefused:
        return None  # somebody should look at it first
    return bundle if bundle.use.state in ENDED or bundle.manifest.is_expired(clock) else None
