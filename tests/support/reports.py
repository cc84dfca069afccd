"""Reports of plans that were never on disk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from biomodal_deploy.cli.render.console import as_text, print_lines
from biomodal_deploy.cli.render.plan_view import PlanView
from biomodal_deploy.plan import Plan, PlanKind
from biomodal_deploy.plan.guards import judge
from biomodal_deploy.plan.sealed import Manifest, SealedPlan
from biomodal_deploy.plan.sealed.facts import Actor
from biomodal_deploy.plan.sealed.use import Use, UseState
from biomodal_deploy.review.report import Report, report_of
from biomodal_deploy.workflow.reporting import ReportFormat, text_of
from tests.support.plans import plan
from tests.support.sealed_plans import SHA, facts

WHEN: Final = datetime(2026, 11, 23, 2, 15, tzinfo=UTC)
ID: Final = "20261123T021500Z-1a2b3c"


def manifest(of: Plan, kind: PlanKind = PlanKind.APPLY, **changed: Any) -> Manifest:
    """Return a manifest, its guards' verdicts included."""
    return Manifest(
        id=ID,
        kind=kind,
        created=WHEN,
        expires=WHEN + timedelta(hours=24),
        maker=Actor(who="ada@lab", pid=1),
        plan_sha256=SHA,
        changes_sha256=SHA,
        facts=facts(**changed),
        counts=of.counts,
        has_changes=of.has_changes,
        verdicts=judge(of, kind=kind),
    )


def report(of: Plan, kind: PlanKind = PlanKind.APPLY, **changed: Any) -> Report:
    """Return the report of a plan."""
    return report_of(of, manifest(of, kind, **changed), SHA)


def written(found: Report, format_: ReportFormat) -> str:
    """Return a report as text in a format, as `show` writes it."""
    if format_ is ReportFormat.TEXT:
        return as_text(lambda console: print_lines(console, PlanView(found, full=True).lines()))
    sealed_plan = SealedPlan(Path("plans") / ID, manifest(plan()), SHA, Use(UseState.UNUSED))
    return text_of(found, sealed_plan, format_, 60_000)


def report_on(*resources: Any, **more: Any) -> Report:
    """Return the report of a plan with these resource changes."""
    return report(plan(*resources, **more))
