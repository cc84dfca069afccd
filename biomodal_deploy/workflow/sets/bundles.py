"""Which sealed plans a set applies, and in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from biomodal_deploy.errors import BundleRefused, UsageError
from biomodal_deploy.plan import PlanKind
from biomodal_deploy.plan.history import is_overtaken, newest
from biomodal_deploy.plan.sealed import Bundle, sealed_plans
from biomodal_deploy.workflow.location import Location


@dataclass(frozen=True)
class Chosen:
    """The sealed plans of a set.

    Attributes:
        bundles: Those that are to be applied, each of another stack.
        idle: The stacks that have nothing to apply, and why: `no_unused_plan`, `no_changes` or
            `older_than_the_last_apply`.
    """

    bundles: tuple[Bundle, ...]
    idle: Mapping[str, str] = field(default_factory=dict)


def newest_of(location: Location, stacks: Sequence[str]) -> Chosen:
    """Return the newest unused sealed plan of each stack.

    Left out are those without changes, and those that an apply of another plan has overtaken.

    Raises:
        BundleRefused: None of the stacks has one, or one was edited or could have been.
        UsageError: One is a destroy plan.
    """
    found: list[Bundle] = []
    idle: dict[str, str] = {}
    for stack in stacks:
        try:
            bundle = newest(location.plans, stack)
        except BundleRefused as refusal:
            if refusal.reason != "no_bundle":
                raise
            idle[stack] = "no_unused_plan"
            continue
        if not bundle.manifest.has_changes:
            idle[stack] = "no_changes"
        elif is_overtaken(location.plans, bundle):
            idle[stack] = "older_than_the_last_apply"
        else:
            found.append(bundle)
    if not found and not any(sealed_plans(location.plans, stack) for stack in stacks):
        raise BundleRefused(
            "no_bundle", "None of these deployments has a plan. Next: biomodal-aws plan --all"
        )
    return _together(found, idle)


def named(location: Location, names: Sequence[str]) -> Chosen:
    """Return the sealed plans that are named, by id or by folder.

    Raises:
        BundleRefused: There is none of a name, or it was edited or could have been.
        UsageError: Two are of one stack, or one is a destroy plan.
    """
    return _together([_find(location, name) for name in dict.fromkeys(names)], {})


def check_digests(chosen: Chosen, digests: Sequence[str]) -> None:
    """Let a set pass only where it is exactly what was approved; without digests, any.

    Raises:
        BundleRefused: A sealed plan is none of those, or one of those is not in the set.
    """
    if not digests:
        return
    approved = {digest.lower() for digest in digests}
    for bundle in chosen.bundles:
        if bundle.sha256 not in approved:
            raise BundleRefused(
                "not_approved",
                f"The plan {bundle.id} of {bundle.manifest.facts.stack} has the digest "
                f"{bundle.sha256}, and that is none of those approved. Nothing was applied.",
            )
    missing = approved - {bundle.sha256 for bundle in chosen.bundles}
    if missing:
        raise BundleRefused(
            "not_approved",
            f"No plan of the set has the approved digest {min(missing)}. Nothing was applied.",
        )


def _find(location: Location, name: str) -> Bundle:
    path = Path(name)
    if name and path.is_dir():
        return Bundle.load(path)
    held = [each for each in location.plans.glob(f"*/{name}") if each.is_dir()] if name else []
    if Path(name).name != name or len(held) != 1:
        raise BundleRefused("no_bundle", f'no sealed plan "{name}" in {location.plans}')
    return Bundle.load(held[0])


def _together(bundles: Sequence[Bundle], idle: Mapping[str, str]) -> Chosen:
    stacks: dict[str, Bundle] = {}
    for bundle in bundles:
        stack = bundle.manifest.facts.stack
        if bundle.manifest.kind is PlanKind.DESTROY:
            raise UsageError(
                f"destroy plan of {stack}; destroy plans are applied one at a time",
                field="BUNDLE",
                value=bundle.id,
                fix=f"run biomodal-aws apply {bundle.id} --stack {stack}",
            )
        if stack in stacks:
            raise UsageError(
                f"second plan of {stack}, after {stacks[stack].id}; the first apply makes it stale",
                field="BUNDLE",
                value=bundle.id,
                fix="name one of the two",
            )
        stacks[stack] = bundle
    return Chosen(tuple(bundles), idle)
