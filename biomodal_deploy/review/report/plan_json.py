"""A sealed plan for programs: the one shape that `plan` and `show` print."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, JsonValue

from biomodal_deploy.aws.ledger import Fate, Ledger, Leftovers
from biomodal_deploy.plan import Counts, OutputChange, PlanKind
from biomodal_deploy.plan.changes import Data
from biomodal_deploy.plan.guards import Verdict as Guarded
from biomodal_deploy.plan.sealed import Facts, SealedPlan
from biomodal_deploy.plan.sealed.approvals import ApprovalStatus
from biomodal_deploy.plan.sealed.use import UseState
from biomodal_deploy.review.report import Entry, Fact, Report, Verdict, Waived
from biomodal_deploy.review.report.access.comparison import AccessChange


class PlanData(Data):
    """A sealed plan.

    Attributes:
        format: The number of this shape; keys may be added to it, and none is taken away.
        sealed_plan: Its id.
        sha256: The digest that stands for all of it; `apply --expect-sha256` takes it.
        path: Its folder.
        use: What became of it: `unused`, `running`, `applied`, `failed`, ...
        verdict: The plan in one line, and what that rests on.
        verdicts: What each guard said.
        facts: What it was made from and for.
        changes: Every resource that it acts on, the gravest first.
        access: Who gains and who loses access by it.
        outputs: The outputs that change.
        drift: The addresses of what changed outside Terraform.
        drift_access: What that did to access.
        deferred: What is put off to a later plan, and why.
        waived: Checks of the configuration that are broken on purpose.
        apply: The commands that apply exactly this plan.
        approvals: Who approved it, as the settings are now; null where it needs no approvals.
        ledger: Of a destroy plan: what the stack held.
        remains: Of a destroy plan that was applied: what is left.
    """

    format: Literal[1] = 1
    sealed_plan: str
    sha256: str
    path: str
    stack: str
    kind: PlanKind
    use: UseState
    created: AwareDatetime
    expires: AwareDatetime
    has_changes: bool
    counts: Counts
    verdict: Verdict
    verdicts: tuple[Guarded, ...]
    facts: Facts
    changes: tuple[Entry, ...]
    access: tuple[AccessChange, ...]
    outputs: tuple[OutputChange, ...]
    drift: tuple[str, ...]
    drift_access: tuple[AccessChange, ...]
    deferred: tuple[Fact, ...]
    waived: tuple[Waived, ...]
    apply: tuple[str, ...]
    approvals: ApprovalStatus | None = None
    ledger: dict[str, JsonValue] | None = None
    remains: dict[str, JsonValue] | None = None


def plan_data(sealed_plan: SealedPlan, report: Report) -> dict[str, Any]:
    """Return a sealed plan as plain JSON values; what only a destroy has, only of a destroy."""
    manifest = sealed_plan.manifest
    data = PlanData(
        sealed_plan=sealed_plan.id,
        sha256=sealed_plan.sha256,
        path=str(sealed_plan.path),
        stack=manifest.facts.stack,
        kind=manifest.kind,
        use=sealed_plan.use.state,
        created=manifest.created,
        expires=manifest.expires,
        has_changes=manifest.has_changes,
        counts=manifest.counts,
        verdict=report.verdict,
        verdicts=manifest.verdicts,
        facts=manifest.facts,
        changes=report.entries,
        access=report.access,
        outputs=report.outputs,
        drift=tuple(entry.address for entry in report.drift.entries),
        drift_access=report.drift.access,
        deferred=report.deferred,
        waived=report.waived,
        apply=report.apply,
        approvals=report.approvals,
    ).model_dump(mode="json", exclude={"ledger", "remains"})
    return data | destroy_data(report.ledger, report.remains)


def destroy_data(ledger: Ledger | None, left: Leftovers | None) -> dict[str, dict[str, JsonValue]]:
    """Return what was there before a destroy, and what is left, as plain JSON values."""
    data: dict[str, dict[str, JsonValue]] = {}
    if ledger:
        counts: JsonValue = {each.value: len(ledger.of(each)) for each in Fate}
        data["ledger"] = {**ledger.model_dump(mode="json"), "counts": counts}
    if left:
        found = left.model_dump(mode="json")
        data["remains"] = {**found, "bills": len(left.bills), "clean": left.clean}
    return data
