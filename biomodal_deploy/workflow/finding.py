"""Which sealed plan is meant."""

from __future__ import annotations

from pathlib import Path

from biomodal_deploy.errors import SealedPlanRefused
from biomodal_deploy.plan.history import newest, plans_in_order
from biomodal_deploy.plan.sealed import SealedPlan
from biomodal_deploy.workflow.location import Location


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
