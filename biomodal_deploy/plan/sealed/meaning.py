"""What a plan means: what changes, where, with which values and code, as a digest a part.

Times, serials and commit ids are left out, so a plan of a pull request and the plan of the branch
that it was merged into are equal where they do the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from biomodal_deploy.plan import Action, Plan, PlanKind
from biomodal_deploy.plan.sealed.digests import sha256
from biomodal_deploy.plan.sealed.facts import one_line
from biomodal_deploy.plan.sealed.files import canonical
from biomodal_deploy.plan.sealed.manifest import Manifest

Meaning = Mapping[str, str]


def meaning_of(manifest: Manifest, plan: Plan) -> dict[str, str]:
    """Return the digest of each part of what a plan means: `account`, `code`, a resource, ...

    Args:
        plan: Its changes, redacted: what of the values is secret, `variables` stands for.
    """
    parts: dict[str, list[object]] = defaultdict(list)
    for name, value in (*_place(manifest), *_sources(manifest), *_changes(manifest.kind, plan)):
        parts[one_line(name)].append(value)
    return {name: sha256(canonical(values)) for name, values in parts.items()}


def differing(one: Meaning, other: Meaning) -> list[str]:
    """Return the names of the parts in which two plans differ."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def _place(manifest: Manifest) -> Iterator[tuple[str, object]]:
    facts = manifest.facts
    yield "kind", str(manifest.kind)
    yield "stack", [facts.stack, facts.directory]
    yield "account", facts.account
    yield "region", facts.region
    yield "endpoint", [facts.endpoint, facts.endpoints]
    yield "workspace", [facts.workspace, facts.data_dir]
    files = [each.model_dump() for each in facts.backend_files]
    yield "state", [facts.backend_sha256, files, facts.state and facts.state.lineage]


def _sources(manifest: Manifest) -> Iterator[tuple[str, object]]:
    facts = manifest.facts
    yield "engine", [facts.engine, facts.terraform_version]
    yield "providers", [facts.providers, facts.lock_file_sha256]
    # The files themselves count, whichever commit they come from.
    yield "modules", [each.model_dump(exclude={"commit"}) for each in facts.modules]
    yield "code", facts.synthesized_sha256
    yield "install script", facts.install_script and facts.install_script.model_dump()
    files = [each.model_dump() for each in facts.var_files]
    yield "variables", [manifest.variables_sha256, files]


def _changes(kind: PlanKind, plan: Plan) -> Iterator[tuple[str, object]]:
    for change in plan.resource_changes:
        if change.acts or change.action is not Action.NO_OP:
            yield f"resource {change.address}", change.model_dump(mode="json")
    # A plan that only refreshes writes all of it to the state.
    for change in plan.drift if kind is PlanKind.REFRESH_ONLY else plan.drifted:
        yield f"drift {change.address}", change.model_dump(mode="json")
    for output in plan.output_changes:
        yield f"output {output.name}", output.model_dump(mode="json")
    yield "deferred", [each.model_dump(mode="json") for each in plan.deferred]
    yield "unknown parts", list(plan.unknown_parts)
