"""What a report begins with: the plan in one line, where it acts, its manifest, how to apply it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Final

from biomodal_deploy.plan import Plan, PlanKind
from biomodal_deploy.plan.guards import Outcome
from biomodal_deploy.plan.guards import Verdict as Guarded
from biomodal_deploy.plan.sealed import Manifest
from biomodal_deploy.plan.sealed.facts import account_name
from biomodal_deploy.review.report import Blocker, Fact, Level, Verdict
from biomodal_deploy.review.report.access.comparison import AccessChange, gains_sentence
from biomodal_deploy.text import counted, moment

_LEADS: Final = {
    Level.BLOCKED: "Refused",
    Level.CAREFUL: "Review with care",
    Level.ROUTINE: "Routine",
    Level.NOTHING: "Nothing to apply",
}
_KINDS: Final = {
    PlanKind.APPLY: "",
    PlanKind.DESTROY: " (a destroy plan)",
    PlanKind.REFRESH_ONLY: " (refresh-only)",
}


def blockers_of(plan: Plan, verdicts: Sequence[Guarded]) -> Iterator[Blocker]:
    """Yield why a plan is refused, and the checks that failed."""
    for verdict in verdicts:
        if verdict.outcome is Outcome.REFUSED:
            yield Blocker(rule=verdict.rule, message=verdict.message, address=verdict.address)
    # A plan that was sealed without its guards says it all the same.
    if not any(verdict.rule == "known-actions" for verdict in verdicts):
        for line in plan.unknown_actions:
            message = f"An action that is not known here is never applied: {line}."
            yield Blocker(rule="known-actions", message=message)
    for check in plan.failed_checks:
        problems = "; ".join(check.problems) or check.status
        yield Blocker(
            rule="check", message=f"failed: {problems}", address=check.address, refuses=False
        )


def verdict_of(
    plan: Plan, kind: PlanKind, blockers: Sequence[Blocker], access: Sequence[AccessChange]
) -> Verdict:
    """Return what a reviewer should know first."""
    points = tuple(_points(plan, blockers, access))
    if any(blocker.refuses for blocker in blockers):
        level = Level.BLOCKED
    elif points:
        level = Level.CAREFUL
    else:
        level = Level.ROUTINE if plan.has_changes else Level.NOTHING
    what = plan.counts.sentence()
    if what == "no changes" and plan.has_changes:
        what = "only the state takes up what changed outside Terraform"
    return Verdict(level=level, line=f"{_LEADS[level]}{_KINDS[kind]}: {what}.", points=points)


def _points(
    plan: Plan, blockers: Sequence[Blocker], access: Sequence[AccessChange]
) -> Iterator[str]:
    refusals = sum(blocker.refuses for blocker in blockers)
    if refusals:
        yield f"{counted(refusals, 'refusal')} by guards"
    counts = plan.counts
    if counts.unknown:
        yield f"{counted(counts.unknown, 'action')} not understood"
    if counts.failed_checks:
        yield f"{counted(counts.failed_checks, 'failed check')}"
    gains = [gain for change in access for gain in change.gains]
    for alarm, what, whom in (
        ("anyone", "opening", "to everybody on the internet"),
        ("everything", "permission", "for everything"),
    ):
        if number := sum(gain.alarm == alarm for gain in gains):
            yield f"{counted(number, what)} {whom}"
    if gains:
        yield f"access gained: {gains_sentence(gains)}"
    losses = ((counts.delete, "destroyed"), (counts.replace, "replaced"))
    if counts.delete or counts.replace:
        yield ", ".join(f"{number:,} {what}" for number, what in losses if number)
    if counts.forget:
        yield f"{counts.forget:,} forgotten: they go on, and nobody manages them"
    if counts.drift:
        yield f"{counted(counts.drift, 'resource')} changed outside Terraform"


def facts_of(manifest: Manifest, sha256: str, plan: Plan) -> Iterator[Fact]:
    """Yield the manifest, what identifies the plan first."""
    facts = manifest.facts
    clean = {True: "", False: ", with uncommitted changes", None: ""}[facts.git_clean]
    state = facts.state
    lines = {
        "sealed plan": manifest.id,
        # The one digest that people see: it covers all the others, and --expect-sha256 takes it.
        "SHA-256 (pin this)": sha256,
        "kind": str(manifest.kind),
        "stack": facts.stack,
        "AWS account": account_name(facts) or "not known",
        "region": facts.region or "not known",
        "not AWS but": facts.endpoint,
        "planned as": facts.caller,
        "planned by": manifest.maker.who,
        "planned at": moment(manifest.created),
        "may be applied until": moment(manifest.expires),
        "Git commit": f"{facts.git_commit}{clean}" if facts.git_commit else None,
        "engine": f"{facts.engine} {facts.terraform_version}",
        "plan format": plan.format_version,
        "workspace": facts.workspace,
        "backend": facts.backend,
        "state": f"{state.lineage}, serial {state.serial}" if state else "none yet",
        "synthesized directory": facts.directory,
        "provider lock file": "sealed" if facts.lock_file_sha256 else "none",
    }
    for name, value in lines.items():
        if value is not None:
            yield Fact(name=name, value=value)
    for provider, version in sorted(facts.providers.items()):
        yield Fact(name="provider", value=f"{provider} {version}")
    for module in facts.modules:
        version = module.commit or module.version or "no version"
        yield Fact(name="module", value=f"{module.key} from {module.source}, {version}")
    files = [*facts.var_files, *([facts.install_script] if facts.install_script else [])]
    for file in files:
        yield Fact(name="file", value=file.path if file.sha256 else f"{file.path} (no such file)")


def place_of(manifest: Manifest) -> Iterator[Fact]:
    """Yield where a plan acts, who made it with what, and until when it may be applied."""
    facts = manifest.facts
    engine = {"terraform": "Terraform", "tofu": "OpenTofu"}.get(facts.engine, facts.engine)
    versions = [f"{engine} {facts.terraform_version}"]
    versions += [f"{name.partition('/')[2]} {facts.providers[name]}" for name in facts.providers]
    lines = {
        "account": account_name(facts),
        "region": facts.region,
        "endpoint": facts.endpoint and f"{facts.endpoint}, not AWS",
        "made with": ", ".join(versions),
        "planned by": manifest.maker.who + (f" as {facts.caller}" if facts.caller else ""),
        "planned at": moment(manifest.created),
        "expires": moment(manifest.expires),
    }
    for name, value in lines.items():
        if value:
            yield Fact(name=name, value=value)


def apply_commands(manifest: Manifest, sha256: str, blockers: Sequence[Blocker]) -> Iterator[str]:
    """Yield the command that applies exactly this plan; none for one that is refused."""
    if any(blocker.refuses for blocker in blockers) or not manifest.has_changes:
        return
    stack = shlex.quote(manifest.facts.stack)
    words = ["biomodal-aws", "apply", manifest.id, "--stack", stack]
    words += ["--expect-sha256", sha256]
    # Without --confirm: what would be lost is confirmed by whoever applies, and not by a paste.
    yield " ".join(words)
