"""Which stacks are meant, where several may be, and which sealed plans of theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from biomodal_deploy.errors import SealedPlanRefused, UsageError
from biomodal_deploy.plan import PlanKind
from biomodal_deploy.plan.history import is_overtaken, newest
from biomodal_deploy.plan.sealed import SealedPlan, sealed_plans
from biomodal_deploy.workflow.location import Location, choose

_MARKS: Final = frozenset("*?[")


def is_set(stacks: Sequence[str], *, every: bool) -> bool:
    """Say whether a set is meant: all, several names, or a pattern, whatever it will match."""
    words = _words(stacks)
    return every or len(words) > 1 or any(_MARKS & set(word) for word in words)


def choose_several(stacks: Sequence[str], names: Sequence[str], *, every: bool) -> list[str]:
    """Return the stacks that are meant, each once, in their own order.

    Args:
        stacks: What `--stack` said: names and patterns, also with commas between them.

    Raises:
        UsageError: A name or pattern fits none, or names and `--all` are both given.
    """
    words = _words(stacks)
    if every:
        if words:
            raise UsageError(
                "cannot be used with --stack or BIOMODAL_STACK",
                field="--all",
                fix="use one of the two",
            )
        words = ["*"]
    chosen: set[str] = set()
    for word in words:
        chosen |= _matching(word, names) if _MARKS & set(word) else {choose(word, list(names))}
    return [name for name in names if name in chosen]


def _words(stacks: Sequence[str]) -> list[str]:
    return [word.strip() for given in stacks for word in given.split(",") if word.strip()]


def _matching(pattern: str, names: Sequence[str]) -> set[str]:
    # Names are lower-case: fnmatch itself would not tell them apart on some systems.
    found = {name for name in names if fnmatchcase(name, pattern)}
    if not found:
        raise UsageError(
            "no stack matches",
            field="--stack",
            value=pattern,
            fix=f"the stacks are {', '.join(names)}" if names else "add one to cdktf.json",
        )
    return found


@dataclass(frozen=True)
class Chosen:
    """The sealed plans of a set.

    Attributes:
        sealed_plans: Those that are to be applied, each of another stack.
        idle: The stacks that have nothing to apply, and why: `no_unused_plan`, `no_changes` or
            `older_than_the_last_apply`.
    """

    sealed_plans: tuple[SealedPlan, ...]
    idle: Mapping[str, str] = field(default_factory=dict)


def newest_of(location: Location, stacks: Sequence[str]) -> Chosen:
    """Return the newest unused sealed plan of each stack.

    Left out are those without changes, and those that an apply of another plan has overtaken.

    Raises:
        SealedPlanRefused: None of the stacks has one, or one was edited or could have been.
        UsageError: One is a destroy plan.
    """
    found: list[SealedPlan] = []
    idle: dict[str, str] = {}
    for stack in stacks:
        try:
            sealed_plan = newest(location.plans, stack)
        except SealedPlanRefused as refusal:
            if refusal.reason != "no_sealed_plan":
                raise
            idle[stack] = "no_unused_plan"
            continue
        if not sealed_plan.manifest.has_changes:
            idle[stack] = "no_changes"
        elif is_overtaken(location.plans, sealed_plan):
            idle[stack] = "older_than_the_last_apply"
        else:
            found.append(sealed_plan)
    if not found and not any(sealed_plans(location.plans, stack) for stack in stacks):
        raise SealedPlanRefused(
            "no_sealed_plan", "None of these stacks has a plan. Next: biomodal-aws plan --all"
        )
    return _together(found, idle)


def named(location: Location, names: Sequence[str]) -> Chosen:
    """Return the sealed plans that are named, by id or by folder.

    Raises:
        SealedPlanRefused: There is none of a name, or it was edited or could have been.
        UsageError: Two are of one stack, or one is a destroy plan.
    """
    return _together([_find(location, name) for name in dict.fromkeys(names)], {})


def check_digests(chosen: Chosen, digests: Sequence[str]) -> None:
    """Let a set pass only where it is exactly what was approved; without digests, any.

    Raises:
        SealedPlanRefused: A sealed plan is none of those, or one of those is not in the set.
    """
    if not digests:
        return
    approved = {digest.lower() for digest in digests}
    for sealed_plan in chosen.sealed_plans:
        if sealed_plan.sha256 not in approved:
            raise SealedPlanRefused(
                "not_approved",
                f"The plan {sealed_plan.id} of {sealed_plan.manifest.facts.stack} has the digest "
                f"{sealed_plan.sha256}, and that is none of those approved. Nothing was applied.",
            )
    missing = approved - {sealed_plan.sha256 for sealed_plan in chosen.sealed_plans}
    if missing:
        raise SealedPlanRefused(
            "not_approved",
            f"No plan of the set has the approved digest {min(missing)}. Nothing was applied.",
        )


def _find(location: Location, name: str) -> SealedPlan:
    path = Path(name)
    if name and path.is_dir():
        return SealedPlan.load(path)
    held = [each for each in location.plans.glob(f"*/{name}") if each.is_dir()] if name else []
    if Path(name).name != name or len(held) != 1:
        raise SealedPlanRefused("no_sealed_plan", f'no sealed plan "{name}" in {location.plans}')
    return SealedPlan.load(held[0])


def _together(sealed_plans: Sequence[SealedPlan], idle: Mapping[str, str]) -> Chosen:
    stacks: dict[str, SealedPlan] = {}
    for sealed_plan in sealed_plans:
        stack = sealed_plan.manifest.facts.stack
        if sealed_plan.manifest.kind is PlanKind.DESTROY:
            raise UsageError(
                f"destroy plan of {stack}; destroy plans are applied one at a time",
                field="PLAN",
                value=sealed_plan.id,
                fix=f"run biomodal-aws apply {sealed_plan.id} --stack {stack}",
            )
        if stack in stacks:
            raise UsageError(
                f"second plan of {stack}, after {stacks[stack].id}; the first apply makes it stale",
                field="PLAN",
                value=sealed_plan.id,
                fix="name one of the two",
            )
        stacks[stack] = sealed_plan
    return Chosen(tuple(sealed_plans), idle)
