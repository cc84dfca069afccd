"""A project's sealed plans: which is meant, a list, deleting, and S3 as the way to who applies.

An object's key is the plan's digest, so what was approved names what is fetched. Who plans may put
and not read, who applies may read and not put. An object that somebody exchanged is refused.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import AwareDatetime

from biomodal_deploy.config.stack import PlanStore
from biomodal_deploy.errors import SealedPlanRefused, UsageError
from biomodal_deploy.files import private_dir, scratch, write_new, writing
from biomodal_deploy.plan import PlanKind
from biomodal_deploy.plan.changes import Data
from biomodal_deploy.plan.guards import Outcome
from biomodal_deploy.plan.history import is_overtaken, newest, plans_in_order
from biomodal_deploy.plan.sealed import SealedPlan, UseState, sealed_plans
from biomodal_deploy.plan.sealed.archive import MOST_ARCHIVE, pack, unpack
from biomodal_deploy.plan.sealed.files import typed_sha256
from biomodal_deploy.plan.sealed.sealed_plan import stack_folder
from biomodal_deploy.plan.sealed.use import ENDED
from biomodal_deploy.workflow.location import Location, Notice, Step, choose
from biomodal_deploy.workflow.stack import Stack


class PlanRow(Data):
    """One sealed plan; of a damaged one, what is in its manifest is null.

    Attributes:
        stack: The stack that it is for.
        sealed_plan: Its id.
        path: Its folder.
        state: `ready`, `no changes`, `refused`, `overtaken`, `expired`, `damaged`, `running`,
            `unknown`, `applied`, `failed` or `interrupted`.
        does: What it does, in one line.
        kind: `apply`, `destroy` or `refresh-only`.
        created: When it was made.
        expires: Until when it may be applied.
        prunable: Whether `--prune` deletes it.
    """

    stack: str
    sealed_plan: str
    path: Path
    state: str
    does: str
    kind: PlanKind | None
    created: AwareDatetime | None
    expires: AwareDatetime | None
    prunable: bool


class PlansData(Data):
    """The sealed plans of a project.

    Attributes:
        plans: Each stack's, the newest first; under `--prune` those that are over.
        deleted: Whether these were deleted.
    """

    plans: tuple[PlanRow, ...]
    deleted: bool


def list_plans(location: Location, stack: str | None) -> list[PlanRow]:
    """Return the sealed plans of a stack, or of every stack; of each the newest first.

    Raises:
        UsageError: The stack is unknown.
    """
    kept = sorted(
        each.name
        for each in location.plans.glob("[!.]*")
        if each.is_dir() and sealed_plans(location.plans, each.name)
    )
    known = sorted({*kept, *location.stacks})
    names = kept if stack is None or not known else [choose(stack, known)]
    return [each for name in names for each in _plans_of(location.plans, name)]


def delete_plans(plans: Sequence[PlanRow]) -> None:
    """Delete sealed plans with their records and logs; the history keeps who did what.

    Raises:
        UsageError: The system refused to.
    """
    for each in plans:
        # A draft is no plan, and the next command clears one that was left halfway.
        draft = each.path.with_name(f"draft-{each.path.name}")
        with writing(each.path):
            each.path.rename(draft)
            shutil.rmtree(draft)


def _plans_of(plans: Path, stack: str) -> Iterator[PlanRow]:
    now = datetime.now(UTC)
    applied = destroyed = False
    for path in plans_in_order(plans, stack):
        try:
            found = _load(path, stack)
        except SealedPlanRefused as refusal:
            yield PlanRow(
                stack=stack,
                sealed_plan=path.name,
                path=path,
                state="damaged",
                does=str(refusal),
                kind=None,
                created=None,
                expires=None,
                prunable=False,
            )
            continue
        state, kind = found.use.state, found.manifest.kind
        destroys = kind is PlanKind.DESTROY
        # The last apply, and what failed since, say where the state is and what may be left of
        # it; of destroys those that failed since the last one that went well.
        needed = state is not UseState.UNUSED and (
            state not in ENDED
            or not applied
            or (destroys and state is not UseState.APPLIED and not destroyed)
        )
        counts = found.manifest.counts.sentence()
        yield PlanRow(
            stack=stack,
            sealed_plan=found.id,
            path=path,
            state=_state(plans, found, now),
            does=counts if kind is PlanKind.APPLY else f"{kind}: {counts}",
            kind=kind,
            created=found.manifest.created,
            expires=found.manifest.expires,
            prunable=not needed
            and (state is not UseState.UNUSED or found.manifest.is_expired(now)),
        )
        applied = applied or state is UseState.APPLIED
        destroyed = destroyed or (destroys and state is UseState.APPLIED)


def _load(path: Path, stack: str) -> SealedPlan:
    found = SealedPlan.load(path)
    if (meant := found.manifest.facts.stack) != stack:
        raise SealedPlanRefused("other_stack", f"A plan for {meant}, not for {stack}.")
    return found


def _state(plans: Path, found: SealedPlan, now: datetime) -> str:
    manifest = found.manifest
    if found.use.state is not UseState.UNUSED:
        return str(found.use.state)
    if manifest.is_expired(now):
        return "expired"
    if any(each.outcome is Outcome.REFUSED for each in manifest.verdicts):
        return "refused"
    if not manifest.has_changes:
        return "no changes"
    return "overtaken" if is_overtaken(plans, found) else "ready"


def stack_meant(location: Location, stack: str | None, plan: str | None) -> str | None:
    """Return the stack that is meant: the one named, else the one whose sealed plan is named.

    Args:
        plan: An id or a path; of one that several stacks have, or none, None is returned.
    """
    if stack is not None or not plan:
        return stack
    places = (Path(plan).absolute(), *(each / plan for each in location.plans.glob("[!.]*")))
    owners = {
        each.parent.name
        for each in places
        if each.parent.parent == location.plans and each.is_dir()
    }
    return owners.pop() if len(owners) == 1 else None


def find_sealed_plan(location: Location, stack: str, named: str | None) -> SealedPlan:
    """Return the sealed plan that is meant: by path or id, else the stack's newest unused one.

    Raises:
        SealedPlanRefused: There is none, or it was edited or could have been.
    """
    if named is None:
        return newest(location.plans, stack)
    # An empty name is a script's unset variable; as a path it would be this very folder.
    places = (Path(named), location.plans / stack / named) if named else ()
    path = next((each for each in places if each.is_dir()), None)
    if path is None:
        known = [each.name for each in plans_in_order(location.plans, stack)]
        fix = (
            f"The newest is {known[0]}."
            if known
            else f"There is none: run biomodal-aws plan --stack {stack}."
        )
        meant = named or "of an empty name"
        raise SealedPlanRefused("no_sealed_plan", f"{stack} has no sealed plan {meant}. {fix}")
    return SealedPlan.load(path)


def find_latest(location: Location, stack: str, named: str | None) -> SealedPlan:
    """Return the sealed plan that is meant, used or not: by path or id, else the newest.

    Raises:
        SealedPlanRefused: There is none, or it was edited or could have been.
    """
    known = plans_in_order(location.plans, stack)
    return find_sealed_plan(location, stack, named or (known[0].name if known else None))


def push_plan(stack: Stack, named: str) -> SealedPlan:
    """Put a sealed plan into the stack's store, encrypted.

    Args:
        named: Its id or path.

    Raises:
        UsageError: The stack has no store.
        SealedPlanRefused: There is no such plan, or it was used.
        EngineError: S3 does not answer, or refuses.
    """
    # The AWS library takes a while to load, and few stacks have a store.
    from biomodal_deploy.aws.buckets import put_file

    store = _store(stack)
    found = find_sealed_plan(stack.location, stack.name, named)
    key = _key(store, stack.name, found.sha256)
    stack.on_event(Step(f"Putting s3://{store.bucket}/{key}"))
    with tempfile.TemporaryFile(dir=private_dir(stack.location.plans)) as file:
        pack(found, file)
        file.seek(0)
        versioned = put_file(
            store.region_or(stack.settings.home_region), store.bucket, key, file, store.kms_key_arn
        )
    if not versioned:
        stack.on_event(Notice(f"The bucket {store.bucket} keeps no versions: switch versioning on"))
    return found


def pull_plan(stack: Stack, sha256: str) -> SealedPlan:
    """Fetch a sealed plan from the stack's store, by its digest, into `plans/`.

    Args:
        sha256: The digest that was approved.

    Raises:
        UsageError: The stack has no store, or it is no digest.
        SealedPlanRefused: What is stored there is not that plan, or the plan is here already.
        EngineError: S3 does not answer, or refuses.
    """
    from biomodal_deploy.aws.buckets import get_file

    store = _store(stack)
    digest = typed_sha256(sha256, field="--pull", fix="copy it whole from the report")
    key = _key(store, stack.name, digest)
    private_dir(stack.location.plans)
    write_new(stack.location.plans / ".gitignore", b"*\n")  # as where it was planned
    where = f"s3://{store.bucket}/{key}"
    folder = private_dir(stack_folder(stack.location.plans, stack.name))
    stack.on_event(Step(f"Fetching {where}"))
    with scratch(folder, "pull") as room, tempfile.TemporaryFile(dir=room) as file:
        get_file(store.region_or(stack.settings.home_region), store.bucket, key, file, MOST_ARCHIVE)
        file.seek(0)
        unpacked = private_dir(room / "sealed")
        manifest = unpack(file, unpacked, digest, where)
        if manifest.facts.stack != stack.name:
            raise SealedPlanRefused(
                "not_stored", f"{where} is a plan of another stack: {manifest.facts.stack}."
            )
        target = folder / manifest.id
        if target.exists():
            raise SealedPlanRefused("here_already", f"{manifest.id} is here already, in {folder}.")
        with writing(target):
            unpacked.rename(target)
    return SealedPlan.load(target)


def _store(stack: Stack) -> PlanStore:
    if (store := stack.settings.plan_store) is None:
        raise UsageError(
            f"{stack.name} has no store for plans",
            field="plan_store",
            fix='set it in cdktf.json: "plan_store": {"remote": "s3://BUCKET/PREFIX"}',
        )
    return store


def _key(store: PlanStore, stack: str, sha256: str) -> str:
    return f"{store.prefix}{stack}/{sha256}.tar"
