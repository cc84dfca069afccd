"""From a sealed plan to its report, with what the project waives of checkov's findings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from pydantic import BaseModel, TypeAdapter, ValidationError

from biomodal_deploy.aws.ledger import saved_ledger, saved_leftovers
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular
from biomodal_deploy.plan import Action, AttributeChange, Plan, PlanKind, ResourceChange
from biomodal_deploy.plan.guards import Outcome
from biomodal_deploy.plan.references import plain
from biomodal_deploy.plan.sealed import Manifest, SealedPlan
from biomodal_deploy.review.report import Blocker, Drift, Entry, Fact, Group, Report, Waived
from biomodal_deploy.review.report.access.comparison import access_changes, drift_access
from biomodal_deploy.review.report.formatting import common_tags, settings_of, tags_text
from biomodal_deploy.review.report.kinds import cause_of, consequence_of, kind_of, lost_with
from biomodal_deploy.review.report.verdict import (
    apply_commands,
    blockers_of,
    facts_of,
    place_of,
    verdict_of,
)

# Within a construct what changes stands before what is new.
_ORDER: Final = (Action.UPDATE, Action.CREATE)


def build_report(sealed_plan: SealedPlan, *, waivers_of: Path | None = None) -> Report:
    """Return the report of a sealed plan.

    Args:
        waivers_of: The project whose waivers count for it; none where left out.
    """
    plan = sealed_plan.plan()
    waived: tuple[Waived, ...] = ()
    if waivers_of is not None:
        addresses = {plain(change.address) for change in plan.resource_changes}
        waived = read_waivers(waivers_of, addresses, sealed_plan.manifest.created.date())
    report = report_of(plan, sealed_plan.manifest, sealed_plan.sha256, waived)
    kept = {"ledger": saved_ledger(sealed_plan.path), "remains": saved_leftovers(sealed_plan.path)}
    return report.model_copy(update=kept)


def report_of(
    plan: Plan,
    manifest: Manifest,
    sha256: str,
    waived: tuple[Waived, ...] = (),
    *,
    whole: bool = True,
) -> Report:
    """Return the report of a plan, with what was sealed of it.

    Args:
        manifest: What it was made from and for, and what the guards said.
        sha256: The digest that stands for all of it.
        whole: With every attribute of what is created and destroyed; of thousands that takes time.
    """
    blockers = tuple(blockers_of(plan, manifest.verdicts))
    access = access_changes(plan)
    contents = {
        verdict.address: verdict.message
        for verdict in manifest.verdicts
        if verdict.rule == "contents"
    }
    changes = plan.changes
    tags = common_tags(change for change in changes if change.action is Action.CREATE)

    def entry(change: ResourceChange) -> Entry:
        attributes = change.attributes if whole else change.updates
        made = _entry(change, manifest.kind, attributes, contents.get(change.address, ""))
        if change.action is not Action.CREATE:
            return made
        settings = settings_of(change, plan.images, tags)
        return made.model_copy(update={"settings": settings})

    def entries(which: Callable[[ResourceChange], bool]) -> tuple[Entry, ...]:
        chosen = sorted(filter(which, changes), key=lambda change: change.address)
        return tuple(map(entry, chosen))

    return Report(
        sealed_plan=manifest.id,
        sha256=sha256,
        stack=manifest.facts.stack,
        kind=manifest.kind,
        verdict=verdict_of(plan, manifest.kind, blockers, access),
        place=tuple(place_of(manifest)),
        counts=plan.counts,
        common_tags=tags_text(tags),
        blockers=blockers,
        notices=tuple(
            Blocker(rule=each.rule, message=each.message, address=each.address, refuses=False)
            for each in manifest.verdicts
            if each.outcome in (Outcome.ALLOWED, Outcome.NOTICE)
        ),
        losses=entries(lambda change: change.action.destroys or change.action.replaces),
        unknown=entries(lambda change: change.action is Action.UNKNOWN),
        access=access,
        groups=tuple(_groups(entries(lambda change: change.action in _ORDER))),
        moved=entries(lambda change: change.moved),
        imported=entries(lambda change: change.imported),
        forgotten=entries(lambda change: change.action is Action.FORGET),
        deferred=tuple(Fact(name=d.change.address, value=d.reason) for d in plan.deferred),
        reads=tuple(
            _entry(change, manifest.kind, change.attributes if whole else ())
            for change in plan.resource_changes
            if change.action is Action.READ and not change.acts
        ),
        unchanged=tuple(
            _entry(change, manifest.kind, change.updates)
            for change in plan.resource_changes
            if change.action is Action.NO_OP and not change.acts
        ),
        outputs=tuple(output for output in plan.output_changes if output.action.acts),
        drift=Drift(
            entries=tuple(
                _entry(change, manifest.kind, change.attributes) for change in plan.drifted
            ),
            filled_in=len(plan.drift) - len(plan.drifted),
            access=drift_access(plan),
        ),
        checks=plan.checks,
        waived=waived,
        manifest=tuple(facts_of(manifest, sha256, plan)),
        apply=tuple(apply_commands(manifest, sha256, blockers)),
    )


def _entry(
    change: ResourceChange,
    plan_kind: PlanKind,
    attributes: tuple[AttributeChange, ...],
    contents: str = "",
) -> Entry:
    kind = kind_of(change)
    goes = change.action.destroys or change.action.replaces
    return Entry(
        address=change.address,
        type=change.type,
        label=kind.label,
        area=kind.area,
        action=change.action,
        actions=change.actions if change.action is Action.UNKNOWN else (),
        construct_path=change.construct_path,
        module=change.module,
        mode=change.mode,
        previous_address=change.previous_address if change.moved else None,
        imported=change.imported,
        import_id=change.import_id,
        deposed=change.deposed,
        reason=change.reason,
        cause=cause_of(change, plan_kind) if goes else "",
        forced_by=tuple(each for each in attributes if each.forces_replacement),
        replace_paths=change.replace_paths,
        lost=lost_with(change) if goes else "",
        contents=contents,
        consequence=consequence_of(change) if change.action is Action.UPDATE else "",
        refers_to=change.refers_to,
        attributes=attributes,
    )


def _groups(entries: Sequence[Entry]) -> Iterator[Group]:
    """Yield creations and updates by the construct that they belong to."""
    by_construct: dict[str, list[Entry]] = {}
    for entry in entries:
        by_construct.setdefault(_construct(entry), []).append(entry)
    for path in sorted(by_construct):
        found = by_construct[path]
        found.sort(key=lambda entry: (_ORDER.index(entry.action), entry.address))
        yield Group(construct_path=path, entries=tuple(found))


def _construct(entry: Entry) -> str:
    """Return the construct around a resource: `native/vm` of `native/vm/instance`."""
    above, _, _ = entry.construct_path.rpartition("/")
    if entry.module:
        # A module's own resources have no construct: the call of the module has.
        return entry.construct_path or entry.module
    return above or entry.construct_path


WAIVERS: Final = Path("compliance") / "waivers.json"


class _Waiver(BaseModel):
    rule: str
    address: str
    reason: str
    owner: str
    expires: date


def read_waivers(project: Path, addresses: Collection[str], planned: date) -> tuple[Waived, ...]:
    """Return the waivers of resources that a plan has.

    Args:
        addresses: The plan's addresses, without keys.
        planned: The day of the plan, by which a waiver has expired or not: the report of a plan
            is the same on any day.
    """
    path = project / WAIVERS
    try:
        found = TypeAdapter(tuple[_Waiver, ...]).validate_json(read_regular(path))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise UsageError(f"cannot be read ({error.strerror})", field=str(path)) from None
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"]) or "the top"
        raise UsageError(
            f"not a list of waivers (see {place})", field=str(path), fix="run make check"
        ) from None
    return tuple(
        Waived(
            rule=each.rule,
            address=each.address,
            reason=each.reason,
            owner=each.owner,
            expires=each.expires.isoformat(),
            expired=each.expires < planned,
        )
        for each in found
        if each.address in addresses
    )
