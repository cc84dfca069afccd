"""Reports of plans that were never on disk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from biomodal_deploy.cli.render import as_text, print_lines
from biomodal_deploy.cli.render.plan_view import PlanView
from biomodal_deploy.plan import Plan, PlanKind
from biomodal_deploy.plan.guards import judge
from biomodal_deploy.plan.sealed import Manifest, SealedPlan
from biomodal_deploy.plan.sealed.facts import Actor
from biomodal_deploy.plan.sealed.use import Use, UseState
from biomodal_deploy.review.report import Report
from biomodal_deploy.review.report.building import report_of
from biomodal_deploy.workflow.reporting import ReportFormat, text_of
from tests.support.plans import output, plan, resource
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


def report_of_text(text: str) -> Report:
    """Return the report of a plan that has a text wherever there is room for one."""
    problem = {"status": "fail", "problems": [{"message": text}]}
    shown = {"to_display": text}
    return report_on(
        resource(f'aws_x.y["{text}"]', "update", {text: text}, {text: "b"}),
        resource("aws_x.z", "delete", {"a": 1}, None, action_reason=text),
        resource("aws_x.d", "delete", {"a": 1}, None, deposed=text),
        resource("aws_x.q", "unknown", {"a": 1}, None, module_address=text),
        resource("aws_x.m", "no-op", previous_address=text),
        resource("aws_x.i", "no-op", importing={"id": text}),
        resource("aws_x.t", "create", None, {}, type=text, name=text, module_address=text),
        resource("aws_iam_role_policy.p", "create", None, {"policy": '{"Statement": [{}]}'}),
        resource("aws_vpc_security_group_ingress_rule.r", "create", None, {"cidr_ipv4": text}),
        resource_drift=[resource("aws_x.y", "update", {"tags": text}, {"tags": "b"})],
        output_changes={text: output("create", None, text)},
        action_invocations=[{"address": text}],
        deferred_changes=[
            {"reason": text, "resource_change": {**resource("aws_x.l"), "address": text}}
        ],
        checks=[
            {
                "address": {**shown, "kind": text},
                "status": "fail",
                "instances": [{"address": shown, **problem}],
            }
        ],
    )
