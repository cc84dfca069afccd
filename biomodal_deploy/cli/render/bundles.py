"""A sealed plan, on screen and as data."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime

from rich.console import Console
from rich.text import Text

from biomodal_deploy.aws.ledger.model import Ledger, Leftovers
from biomodal_deploy.cli.render.drifts import show_changed
from biomodal_deploy.cli.render.ledger import destroy_data, show_ledger, show_leftovers
from biomodal_deploy.cli.render.plan_view import show_plan
from biomodal_deploy.plan import Plan, PlanKind
from biomodal_deploy.plan.guards import Outcome
from biomodal_deploy.plan.sealed import Bundle, UseState

_STYLES = {
    Outcome.REFUSED: ("refused", "bad"),
    Outcome.ALLOWED: ("allowed", "warning"),
    Outcome.NOTICE: ("notice", "warning"),
}
_KINDS = {
    PlanKind.APPLY: "Plan",
    PlanKind.DESTROY: "Destroy plan",
    PlanKind.REFRESH_ONLY: "Refresh-only plan",
}


def show_bundle(
    console: Console,
    bundle: Bundle,
    plan: Plan,
    ledger: Ledger | None = None,
    remains: Leftovers | None = None,
) -> None:
    """Print a sealed plan, of a destroy plan also its ledger, and what to do with it."""
    manifest, facts = bundle.manifest, bundle.manifest.facts
    where = [part for part in (facts.region, facts.account and f"account {facts.account}") if part]
    if facts.endpoint:
        where.append(f"not AWS but {facts.endpoint}")
    heading = Text(f"{_KINDS[manifest.kind]} for {facts.stack}", style="bold")
    console.print(heading.append(f"  {', '.join(where)}", style="quiet"))
    console.print()
    records_drift = manifest.kind is PlanKind.REFRESH_ONLY
    show_plan(console, plan, records_drift=records_drift)
    if records_drift:
        show_changed(console, plan.drifted)
    for verdict in manifest.verdicts:
        if verdict.outcome in _STYLES:
            word, style = _STYLES[verdict.outcome]
            console.print(Text(f"{word}: ", style=style).append(verdict.message, style="default"))
    refusals = [each for each in manifest.verdicts if each.outcome is Outcome.REFUSED]
    protected = [
        each.address for each in refusals if each.rule in ("protected", "vanished") and each.address
    ]
    if len(protected) > 1:
        # One to copy: a whole environment is lost by many addresses.
        flags = " ".join(f"--allow-destroy {shlex.quote(address)}" for address in protected)
        console.print(Text(f"All of them: {flags}"))
    if ledger:
        # Only here, as below: what destroys nothing should not wait for the ledger.

        show_ledger(console, ledger)
    else:
        console.print()
    if remains:
        show_leftovers(console, remains)
        console.print()
    console.print(f"bundle  {bundle.id}")
    console.print(f"sha256  {bundle.sha256}")
    console.print(f"folder  {bundle.path}", style="quiet")
    console.print(Text(_next_step(bundle, refused=bool(refusals))))


def bundle_data(
    bundle: Bundle,
    plan: Plan,
    ledger: Ledger | None = None,
    remains: Leftovers | None = None,
) -> dict[str, object]:
    """Return a sealed plan as data for programs; of a destroy plan also its ledger."""
    manifest = bundle.manifest
    data: dict[str, object] = {
        "bundle": bundle.id,
        "sha256": bundle.sha256,
        "path": str(bundle.path),
        "stack": manifest.facts.stack,
        "kind": str(manifest.kind),
        "use": str(bundle.use.state),
        "created": manifest.created.isoformat(),
        "expires": manifest.expires.isoformat(),
        "has_changes": manifest.has_changes,
        "counts": manifest.counts.model_dump(),
        "verdicts": [verdict.model_dump(mode="json") for verdict in manifest.verdicts],
        "facts": manifest.facts.model_dump(mode="json"),
        "changes": [
            {
                "address": change.address,
                "action": str(change.action),
                "reason": change.reason,
                "previous_address": change.previous_address,
                "attributes": [
                    each.model_dump(mode="json", exclude={"matters"}) for each in change.updates
                ],
            }
            for change in plan.changes
        ],
        "outputs": [output.model_dump(mode="json") for output in plan.output_changes],
        "drift": [change.address for change in plan.drifted],
    }
    if ledger or remains:
        data |= destroy_data(ledger, remains)
    return data


def _next_step(bundle: Bundle, *, refused: bool) -> str:
    manifest, stack = bundle.manifest, bundle.manifest.facts.stack
    if bundle.use.state is not UseState.UNUSED:
        return f"It is {bundle.use.sentence()}."
    if refused:
        return "A guard refuses it: it can be shown, not applied."
    if manifest.is_expired(datetime.now(UTC)):
        return f"It has expired. Next: biomodal-aws plan --stack {stack}"
    if not manifest.has_changes:
        return "There is nothing to apply."
    until = manifest.expires.astimezone().strftime("%Y-%m-%d %H:%M %Z")
    return f"Good for one apply until {until}. Next: biomodal-aws apply {bundle.id} --stack {stack}"
