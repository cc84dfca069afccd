"""Guards: what a plan must not do, judged on the plan as data.

Terraform's own `prevent_destroy` goes away with the block that it stands in, and blocks a wanted
destroy as well. These read what the plan will do, so where an object is configured, or whether it
still is, makes no difference.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Final

from pydantic import BaseModel

from biomodal_deploy.config.settings import PROTECTED_KINDS, Bounds
from biomodal_deploy.errors import GuardRefused, UsageError
from biomodal_deploy.plan import Action, Plan, PlanKind, ResourceChange
from biomodal_deploy.plan.consequences import consequences
from biomodal_deploy.plan.impossible import Impossible, check_allowed, impossible
from biomodal_deploy.text import counted

_KEY: Final = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|\d+)\]')
# Kinds whose delete empties them first where the flag says so, and what they hold.
_CONTENTS: Final = {
    "aws_s3_bucket": ("force_destroy", "bucket", "bucket", "objects"),
    "aws_ecr_repository": ("force_delete", "name", "repository", "images"),
}


class Outcome(StrEnum):
    """What a guard says."""

    PASSED = "passed"
    ALLOWED = "allowed"
    NOTICE = "notice"
    REFUSED = "refused"


class Verdict(BaseModel, frozen=True, extra="forbid"):
    """What one guard says of a plan, or of one object in it.

    Attributes:
        rule: A stable word: `known-actions`, `whole-plan`, `protected`, `vanished`, `allowance`,
            `contents`, `consequence`, `max-deletes`, `account`, `region` or `cost`; or the check of
            `impossible` that refuses a change which AWS always refuses.
        address: The object, where it is about one.
        message: One line for people.
    """

    rule: str
    outcome: Outcome
    message: str
    address: str | None = None


@dataclass(frozen=True)
class Emptied:
    """A bucket or repository that goes with everything in it, even where it is not empty.

    Attributes:
        kind: `aws_s3_bucket` or `aws_ecr_repository`.
    """

    address: str
    kind: str
    name: str


def judge(
    plan: Plan,
    *,
    kind: PlanKind = PlanKind.APPLY,
    protected: Collection[str] = PROTECTED_KINDS,
    limits: Bounds = Bounds(),  # noqa: B008  # it is frozen
    allow_destroy: Iterable[str] = (),
    by_name: bool = False,
    account: str | None = None,
    region: str | None = None,
    object_counts: Mapping[str, int | str] | None = None,
    declared: Collection[str] = (),
    found: Iterable[Impossible] = (),
    allow: Collection[str] = (),
    running: Mapping[str, int] | None = None,
) -> tuple[Verdict, ...]:
    """Judge a plan.

    Args:
        kind: What it is for; the limit on deletes is not for destroy plans.
        protected: Resource types whose loss needs an allowance.
        allow_destroy: Exact addresses that may be lost.
        by_name: Whether a person types the stack's name first, and so allows every loss.
        object_counts: By address, how many objects or images an emptied one holds, a text where
            they were not counted to the end; see `emptied`.
        declared: Resources and module calls of the configuration; to allow the loss of one that
            this plan does not have, as it is gone already, is no mistake.
        found: What the account says that AWS would refuse, besides what the plan itself shows.
        allow: Checks whose refusals are let through.
        running: How many jobs are at work where the plan ends them, by address.

    Raises:
        UsageError: An allowance names an object that this plan does not lose, or no check.
    """
    allowed_checks = check_allowed(allow)
    allowed = frozenset(allow_destroy)
    gone = vanished(plan) if kind is PlanKind.APPLY else ()
    idle = _check_allowances(plan, allowed - {each.address for each in gone}, declared)
    return (
        *_whole(plan),
        *_known(plan),
        *_protected(plan, frozenset(protected), allowed, by_name=by_name),
        *_vanished(gone, frozenset(protected), allowed),
        *idle,
        *_contents(plan, object_counts or {}),
        *_programs(plan),
        *(_consequences(plan, running) if kind is PlanKind.APPLY else ()),
        *_impossible((*impossible(plan), *found), allowed_checks),
        *_deletes(plan, limits.max_deletes if kind is not PlanKind.DESTROY else None),
        *judge_place(limits, account=account, region=region),
    )


def judge_place(limits: Bounds, *, account: str | None, region: str | None) -> tuple[Verdict, ...]:
    """Judge where a stack goes, whatever it does there."""
    return (
        *_within("account", account, limits.account_ids),
        *_within("region", region, limits.regions),
    )


def enforce(verdicts: Iterable[Verdict]) -> None:
    """Let a plan pass only where no guard refuses it.

    Raises:
        GuardRefused: With the first refusal, and what the others are about: a sealed plan is
            shown with each of them in full.
    """
    refusals = [verdict for verdict in verdicts if verdict.outcome is Outcome.REFUSED]
    if not refusals:
        return
    first, *others = refusals
    more = f" ({counted(len(others), 'more refusal')}: " if others else ""
    about = ", ".join(each.address or each.rule for each in others)
    raise GuardRefused(f"{first.message}{more}{about}{')' if others else ''}")


def protected_losses(
    plan: Plan, protected: Collection[str] = PROTECTED_KINDS
) -> tuple[ResourceChange, ...]:
    """Return the objects whose loss needs an allowance."""
    return tuple(loss for loss in plan.losses if loss.managed and loss.type in protected)


def vanished(plan: Plan) -> tuple[ResourceChange, ...]:
    """Return what was deleted outside Terraform, and would be made again: as plain creations."""
    gone = {each.address for each in plan.drift if each.action is Action.DELETE}
    return tuple(
        each
        for each in plan.changes
        if each.managed and each.action is Action.CREATE and each.address in gone
    )


def emptied(plan: Plan) -> tuple[Emptied, ...]:
    """Return the buckets and repositories whose contents go with them."""
    return tuple(
        Emptied(delete.address, delete.type, str((delete.before or {}).get(named) or "?"))
        for delete in plan.deletes
        if delete.type in _CONTENTS
        for flag, named, _, _ in [_CONTENTS[delete.type]]
        # A hidden value counts as set: the careful reading.
        if (delete.before or {}).get(flag) not in (False, None)
    )


def _check_allowances(
    plan: Plan, allowed: Collection[str], declared: Collection[str]
) -> tuple[Verdict, ...]:
    """Return notices of allowances that nothing needs any more; refuse those that are mistakes.

    A destroy that was stopped halfway is run again as it was typed.
    """
    lost = sorted({loss.address for loss in plan.losses})
    known = {change.address for change in plan.resource_changes}
    notices, kept, unknown = [], [], []
    for address in sorted(set(allowed).difference(lost)):
        if address in known:
            kept.append(address)
        elif _declared(address, declared):
            message = f"{address} is not in the state: --allow-destroy is not needed for it."
            notices.append(_said("allowance", Outcome.NOTICE, message, address))
        else:
            unknown.append(address)
    if not kept and not unknown:
        return tuple(notices)
    rules = []
    if kept:
        rules.append(f"The plan neither deletes, replaces nor forgets {_it(kept, unknown)}")
    if unknown:
        rules.append(f"The plan has no such address{_named(unknown, kept)}")
    wrong = [*kept, *unknown]
    close = [found for each in unknown for found in _close(each, lost)]
    raise UsageError(
        "; ".join(rules),
        field="--allow-destroy",
        value=wrong[0] if len(wrong) == 1 else None,
        fix=f"did you mean {' and '.join(map(repr, close))}?" if close else "leave it out",
    )


def _it(these: list[str], others: list[str]) -> str:
    return "it" if len(these) + len(others) == 1 else ", ".join(these)


def _named(these: list[str], others: list[str]) -> str:
    return "" if len(these) + len(others) == 1 else f": {', '.join(these)}"


def _declared(address: str, declared: Collection[str]) -> bool:
    """Whether the configuration has a resource, or the module call that it is in."""
    plain = _KEY.sub("", address)
    call = ".".join(plain.split(".")[:2])
    return plain in declared or (call.startswith("module.") and call in declared)


def _close(address: str, lost: list[str]) -> list[str]:
    """Return the address that may be meant: of the same kind only."""
    same = [each for each in lost if _kind(each) == _kind(address)]
    return get_close_matches(address, same, n=1)


def _kind(address: str) -> str:
    return ".".join(_KEY.sub("", address).split(".")[-2:-1])


def _whole(plan: Plan) -> Iterator[Verdict]:
    rule = "whole-plan"
    if plan.errored:
        yield _refused(rule, "Terraform failed while it planned: this is only part of a plan.")
    if plan.complete is False:
        why = "some changes are deferred" if plan.deferred else "such as one made with -target"
        yield _refused(rule, f"Terraform says that the plan is not complete, {why}.")
    elif plan.deferred:
        yield _refused(rule, f"{len(plan.deferred)} changes are deferred to a later plan.")
    if not (plan.errored or plan.complete is False or plan.deferred):
        yield _passed(rule, "The plan is whole.")


def _known(plan: Plan) -> Iterator[Verdict]:
    rule = "known-actions"
    for line in plan.unknown_actions:
        yield _refused(rule, f"An action that is not known here is never applied: {line}.")
    if not plan.unknown_actions:
        yield _passed(rule, "Every action is known.")


def _protected(
    plan: Plan, protected: Collection[str], allowed: Collection[str], *, by_name: bool
) -> Iterator[Verdict]:
    rule = "protected"
    losses = protected_losses(plan, protected)
    shared = Counter((change.address, change.deposed) for change in plan.resource_changes)
    for loss in losses:
        what = f"{loss.address} would be {_fate(loss)}"
        if shared[loss.address, loss.deposed] > 1:
            yield _refused(
                rule, f"{what}, and another object is shown by the same address.", loss.address
            )
        elif loss.address in allowed or by_name:
            by_what = "--allow-destroy" if loss.address in allowed else "the stack's name, typed,"
            message = f"{what}; {by_what} allows it."
            yield _said(rule, Outcome.ALLOWED, message, loss.address)
        else:
            message = (
                f"{what}, and {loss.type} is protected."
                f" If that is meant: plan again with --allow-destroy '{loss.address}'"
            )
            yield _refused(rule, message, loss.address)
    if not losses:
        yield _passed(rule, "Nothing of a protected kind is lost.")


def _vanished(
    gone: Iterable[ResourceChange], protected: Collection[str], allowed: Collection[str]
) -> Iterator[Verdict]:
    rule = "vanished"
    for each in gone:
        what = f"{each.address} was deleted outside Terraform, and would be made again"
        if each.type in protected and each.address not in allowed:
            message = (
                f"{what} without what it held, and {each.type} is protected. If that is meant: "
                f"plan again with --allow-destroy '{each.address}'"
            )
            yield _refused(rule, message, each.address)
        else:
            outcome = Outcome.ALLOWED if each.address in allowed else Outcome.NOTICE
            yield _said(rule, outcome, f"{what}.", each.address)


def _contents(plan: Plan, counts: Mapping[str, int | str]) -> Iterator[Verdict]:
    for each in emptied(plan):
        flag, _, noun, things = _CONTENTS[each.kind]
        count = counts.get(each.address)
        known = f"{count:,}" if isinstance(count, int) else count
        how_many = "an unknown number of" if known is None else known
        message = (
            f"{each.address}: {flag} is set, so {how_many} {things} go with {noun} {each.name}."
        )
        yield _said("contents", Outcome.NOTICE, message, each.address)


def _programs(plan: Plan) -> Iterator[Verdict]:
    """Name what runs a program: it may delete what the plan says nothing about."""
    for each in plan.changes:
        if each.provisioners and each.action not in (Action.UPDATE, Action.FORGET):
            kinds = ", ".join(dict.fromkeys(each.provisioners))
            message = (
                f"{each.address}: a provisioner ({kinds}) may run a program, unseen by guards."
            )
            yield _said("consequence", Outcome.NOTICE, message, each.address)


def _consequences(plan: Plan, running: Mapping[str, int] | None) -> Iterator[Verdict]:
    for each in consequences(plan, running):
        message = f"{each.address}: {each.line}."
        yield _said("consequence", Outcome.NOTICE, message, each.address)


def _impossible(found: Iterable[Impossible], allowed: Collection[str]) -> Iterator[Verdict]:
    idle = set(allowed)
    for each in found:
        idle.discard(each.check)
        what = f"{each.address} would fail: {each.line}"
        if each.check in allowed:
            message = f"{what}. --allow {each.check} allows it."
            yield _said(each.check, Outcome.ALLOWED, message, each.address)
        else:
            message = f"{what}. Fix: {each.fix}; or plan again with --allow {each.check}"
            yield _refused(each.check, message, each.address)
    for check in sorted(idle):
        message = f"--allow {check} is not needed: nothing is refused by it."
        yield _said(check, Outcome.NOTICE, message)


def _deletes(plan: Plan, most: int | None) -> Iterator[Verdict]:
    if most is None:
        return
    count = sum(delete.managed for delete in plan.deletes)
    line = f"{count} deletes (replacements included), and limits.max_deletes is {most}."
    yield _passed("max-deletes", line) if count <= most else _refused("max-deletes", line)


def _within(rule: str, found: str | None, allowed: Collection[str]) -> Iterator[Verdict]:
    if not allowed:
        return
    limited = f"the stack is limited to {' or '.join(sorted(allowed))}"
    if found in allowed:
        yield _passed(rule, f"The {rule} {found} is one that the stack may touch.")
    elif found is None:
        yield _refused(rule, f"The {rule} is not known, and {limited}.")
    else:
        yield _refused(rule, f"The {rule} is {found}, and {limited}.")


def _fate(loss: ResourceChange) -> str:
    object_ = f" (the old object {loss.deposed})" if loss.deposed else ""
    if loss.action.replaces:
        left = ", the old one left behind unmanaged" if loss.action.forgets else ""
        return f"replaced{object_}{left}"
    return ("forgotten" if loss.action is Action.FORGET else "deleted") + object_


def _passed(rule: str, message: str) -> Verdict:
    return _said(rule, Outcome.PASSED, message)


def _refused(rule: str, message: str, address: str | None = None) -> Verdict:
    return _said(rule, Outcome.REFUSED, message, address)


def _said(rule: str, outcome: Outcome, message: str, address: str | None = None) -> Verdict:
    return Verdict(rule=rule, outcome=outcome, message=message, address=address)
