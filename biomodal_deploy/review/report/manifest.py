"""What a sealed plan was made from and for, as lines, and how to apply exactly it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from biomodal_deploy.plan import Plan
from biomodal_deploy.plan.sealed import Manifest
from biomodal_deploy.plan.sealed.facts import account_name
from biomodal_deploy.review.report.model import Blocker, Fact
from biomodal_deploy.text import moment


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
