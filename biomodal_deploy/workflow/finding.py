"""Which sealed plan is meant."""

from __future__ import annotations

from pathlib import Path

from biomodal_deploy.bundle import Bundle, newest, sealed_plans
from biomodal_deploy.errors import BundleRefused
from biomodal_deploy.workflow.location import Location


def find_bundle(location: Location, stack: str, named: str | None) -> Bundle:
    """Return the sealed plan that is meant: by path or id, else the stack's newest unused one.

    Raises:
        BundleRefused: There is none, or it was edited or could have been.
    """
    if named is None:
        return newest(location.plans, stack)
    path = Path(named)
    if not path.is_dir():
        path = location.plans / stack / named
    if not path.is_dir():
        known = [each.name for each in sealed_plans(location.plans, stack)]
        fix = (
            f"The newest is {known[0]}."
            if known
            else f"There is none: run biomodal-aws plan --stack {stack}."
        )
        raise BundleRefused("no_bundle", f"{stack} has no sealed plan {named}. {fix}")
    return Bundle.load(path)
