"""What was done to a stack: an append-only log in which each entry holds the digest of the last.

An entry that is changed, taken out or put in breaks the chain at its place. What the chain cannot
show is an end that was cut off; the digest of the last entry, kept elsewhere, does.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from biomodal_deploy.errors import SealedPlanRefused
from biomodal_deploy.plan import PlanKind
from biomodal_deploy.plan.history.entry import Chain, Entry, Event
from biomodal_deploy.plan.history.log import History
from biomodal_deploy.plan.sealed import SealedPlan, UseState, sealed_plans
from biomodal_deploy.plan.sealed.use import use_of

__all__ = ["Chain", "Entry", "Event", "History", "is_overtaken", "newest", "plans_in_order"]


def plans_in_order(plans: Path, stack: str) -> list[Path]:
    """Return the folders of a stack's sealed plans, the newest first.

    Plans that the history does not know, such as those of another machine, are put among the
    others by their time.
    """
    by_time = sealed_plans(plans, stack)
    made = _sequence(History(plans, stack).entries(), Event.PLAN)
    ordered = sorted((each for each in by_time if each.name in made), key=lambda p: made[p.name])
    for path in reversed(by_time):
        if path.name not in made:
            older = [each for each in ordered if _second(each) <= _second(path)]
            ordered.insert(ordered.index(older[-1]) + 1 if older else 0, path)
    return ordered[::-1]


def newest(plans: Path, stack: str, *, kinds: Collection[PlanKind] = tuple(PlanKind)) -> SealedPlan:
    """Return a stack's newest unused sealed plan.

    One that is damaged or open to others is refused, not passed over: falling back to an older
    plan without a word would apply what nobody meant.

    Raises:
        SealedPlanRefused: There is none, or it is refused.
    """
    ordered = plans_in_order(plans, stack)
    for path in ordered:
        if use_of(path).state is not UseState.UNUSED:
            continue
        sealed_plan = SealedPlan.load(path)
        if sealed_plan.manifest.kind in kinds:
            return sealed_plan
    lack = f"{stack} has no unused plan" if ordered else f"{stack}: no plan yet"
    used = next((each for each in ordered if use_of(each).state is not UseState.UNUSED), None)
    if used:
        lack += f"; {used.name} is used: {use_of(used).sentence()}"
    raise SealedPlanRefused("no_sealed_plan", f"{lack}. Next: biomodal-aws plan --stack {stack}")


def is_overtaken(plans: Path, sealed_plan: SealedPlan) -> bool:
    """Whether another plan was applied after this one was made: the state is another by now."""
    stack = sealed_plan.manifest.facts.stack
    entries = History(plans, stack).entries()
    made = _sequence(entries, Event.PLAN)
    began = _sequence(entries, Event.APPLY_START)
    for path in sealed_plans(plans, stack):
        use = use_of(path)
        if use.state is not UseState.APPLIED or use.claim is None:
            continue
        if sealed_plan.id in made and path.name in began:
            later = began[path.name] > made[sealed_plan.id]
        else:
            later = use.claim.at > sealed_plan.manifest.created
        if later:
            return True
    return False


def _second(path: Path) -> str:
    return path.name.partition("-")[0]


def _sequence(entries: Collection[Entry], event: Event) -> dict[str, int]:
    return {
        each.sealed_plan: each.seq for each in entries if each.event is event and each.sealed_plan
    }
