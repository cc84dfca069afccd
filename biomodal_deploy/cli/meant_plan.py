"""Which sealed plan a command means, and for whose stack and values its next steps are."""

from __future__ import annotations

from contextlib import suppress

from biomodal_deploy.cli.next_steps import steps_for
from biomodal_deploy.errors import BiomodalError, SealedPlanRefused
from biomodal_deploy.plan.sealed import SealedPlan
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.plans import find_latest, find_sealed_plan
from biomodal_deploy.workflow.variables import files_by_hand


def meant_plan(location: Location, stack: str, named: str | None, by: str | None) -> SealedPlan:
    """Return the sealed plan that is meant; the steps printed from here on are for it.

    Where only used ones are left, they are for the last of them: the next plan is of its values.

    Args:
        named: The plan's id or path; the newest unused one where None.
        by: The stack that was named, or that the plan's id names alone.

    Raises:
        SealedPlanRefused: There is none, or it was edited or could have been.
    """
    try:
        found = find_sealed_plan(location, stack, named)
    except SealedPlanRefused:
        # The refusal is the news, whatever is wrong with the plan before.
        with suppress(BiomodalError):
            _steps_like(location, find_latest(location, stack, None), by)
        raise
    _steps_like(location, found, by)
    return found


def _steps_like(location: Location, plan: SealedPlan, by: str | None) -> None:
    steps_for(by, files_by_hand(location, plan.manifest.facts))
