"""What a plan does to access: every element that comes or goes, and whether that is more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from biomodal_deploy.plan import Action, Plan, ResourceChange
from biomodal_deploy.plan.changes import Data, Values, as_list, as_map
from biomodal_deploy.review.report.access import (
    Severity,
    Subjects,
    subject_of,
    vague,
)
from biomodal_deploy.review.report.access.protections import turned_off
from biomodal_deploy.review.report.access.rules import (
    GROUPS,
    SecurityGroupRule,
    rules_of,
    shows_rules,
)
from biomodal_deploy.review.report.access.statements import (
    ComparedStatement,
    not_covered,
    statements_of,
)

POLICIES: Final = ("policy", "assume_role_policy")
_ATTACHMENTS: Final = frozenset(
    {
        "aws_iam_role_policy_attachment",
        "aws_iam_user_policy_attachment",
        "aws_iam_group_policy_attachment",
        "aws_iam_policy_attachment",
    }
)
_RULES: Final = ("ingress", "egress")
_EVERYTHING: Final = ("/AdministratorAccess", "/PowerUserAccess", "/IAMFullAccess")
_NOT_YET: Final = "a policy that is known only after the apply, or hidden: look at it by hand"


class Gain(Data):
    """Access that somebody gets.

    Attributes:
        text: What, in words.
        alarm: `anyone` where everybody on the internet gets it, `everything` where it is all that
            there is; empty otherwise.
        severity: How much it matters.
    """

    text: str
    alarm: str = ""
    severity: Severity = Severity.MEDIUM


class AccessChange(Data):
    """What one resource's change does to access.

    Attributes:
        who: Whose access it is, or to what, in words; empty where that is not known.
        gains: Access that nothing in the plan gave before: it broadens.
        removed: Access that nothing in the plan gives any more.
    """

    address: str
    action: Action
    who: str = ""
    gains: tuple[Gain, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def severity(self) -> Severity:
        """How much the gravest of its gains matters."""
        return min((gain.severity for gain in self.gains), key=list(Severity).index)


def gains_sentence(gains: Iterable[Gain]) -> str:
    """Return how many gains there are of each severity: `9 (2 high, 7 low)`; empty without any."""
    counts = Counter(gain.severity for gain in gains)
    parts = ", ".join(f"{counts[each]:,} {each}" for each in Severity if counts[each])
    return f"{counts.total():,} ({parts})" if parts else ""


def access_changes(plan: Plan) -> tuple[AccessChange, ...]:
    """Return what a plan does to access, by resource in the plan's order.

    A rule that one resource gives up and another takes over changes nothing: rules are compared
    across the plan, group by group. Policies are compared within each resource.
    """
    acting = [change for change in plan.changes if change.managed and not _only_known(change)]
    return tuple(_judge(acting, _Documents(plan)))


def drift_access(plan: Plan) -> tuple[AccessChange, ...]:
    """Return what happened to access outside Terraform, of the drift that matters."""
    drifted = [_less_what_resources_give(each) for each in plan.drifted if each.managed]
    return tuple(_judge(drifted, _Documents(plan)))


def _less_what_resources_give(drift: ResourceChange) -> ResourceChange:
    """Keep of a group's new rules those that were made by hand.

    Right after an apply a group shows the rules that other resources gave it; see `plan.access`.
    """
    if drift.after is None or drift.type not in GROUPS:
        return drift
    # The rule that a path lies in: `ingress[0]` of `ingress[0].cidr_blocks[1]`.
    by_hand = {each.path.partition(".")[0] for each in drift.updates if each.matters}
    after = {
        name: [
            rule
            for index, rule in enumerate(as_list(value))
            if by_hand & {name, f"{name}[{index}]"}
        ]
        if name in _RULES
        else value
        for name, value in drift.after.items()
    }
    return drift.model_copy(update={"after": after})


def _only_known(change: ResourceChange) -> bool:
    """Whether the object itself stays as it is: what is forgotten goes on giving access."""
    return change.action.forgets and not change.action.replaces


def _judge(changes: list[ResourceChange], documents: _Documents) -> Iterator[AccessChange]:
    before = _by_owner(rule for each in changes for rule in _rules(each, each.before))
    after = _by_owner(rule for each in changes for rule in _rules(each, each.after))
    subjects = Subjects(changes)
    for change in changes:
        gains = [
            Gain(text=str(rule), alarm="anyone" if rule.anyone else "", severity=rule.severity)
            for rule in _rules(change, change.after)
            if not any(each.covers(rule) for each in before.get(rule.owner, ()))
        ]
        removed = [
            str(rule)
            for rule in _rules(change, change.before)
            if not any(each.covers(rule) for each in after.get(rule.owner, ()))
        ]
        policies, ended = _policies(change, documents)
        attached, detached = _attached(change)
        removed += [*ended, *detached]
        if not subjects.die_with(change):
            gains += policies
            gains += attached
            gains += [Gain(text=text, severity=severity) for text, severity in turned_off(change)]
        if gains or removed:
            yield AccessChange(
                address=change.address,
                action=change.action,
                who=subject_of(change),
                gains=tuple(dict.fromkeys(gains)),
                removed=tuple(dict.fromkeys(removed)),
            )


def _rules(change: ResourceChange, values: Values | None) -> Iterator[SecurityGroupRule]:
    if values is not None and shows_rules(change):
        yield from rules_of(change, values)


def _by_owner(rules: Iterable[SecurityGroupRule]) -> dict[str, list[SecurityGroupRule]]:
    found: dict[str, list[SecurityGroupRule]] = {}
    for rule in rules:
        found.setdefault(rule.owner, []).append(rule)
    return found


class _Documents:
    """Policy documents that are read during the apply, by address."""

    def __init__(self, plan: Plan) -> None:
        self._read = {
            change.address: change.after
            for change in plan.resource_changes
            if change.type == "aws_iam_policy_document" and change.after is not None
        }

    def of(self, change: ResourceChange) -> object:
        """Return the only one that a resource refers to."""
        named = [name for name in change.refers_to if name in self._read]
        return self._read[named[0]] if len(named) == 1 else None


def _policies(change: ResourceChange, documents: _Documents) -> tuple[list[Gain], list[str]]:
    gains: list[Gain] = []
    removed: list[str] = []
    for name in POLICIES:
        old, new = (change.before or {}).get(name), (change.after or {}).get(name)
        if isinstance(new, str) and new == old and not vague(new):
            continue
        before = statements_of(old) or ()
        after = statements_of(new)
        if after is None and isinstance(new, str) and vague(new):
            after = statements_of(documents.of(change))
            if after is None and change.type != "aws_s3_bucket":  # computed there
                gains.append(Gain(text=f"{name}: {_NOT_YET}"))
            if after is None:
                continue
        more, less = _compare(before, after or ())
        gains += more
        removed += less
    return gains, removed


def _compare(
    before: tuple[ComparedStatement, ...], after: tuple[ComparedStatement, ...]
) -> tuple[list[Gain], list[str]]:
    gains = [
        Gain(text=f"allowed: {text}", alarm=new.alarm, severity=new.severity)
        for text, new in not_covered(after, before, denies=False)
    ]
    gains += [
        Gain(text=f"no longer denied: {text}")
        for text, _ in not_covered(before, after, denies=True)
    ]
    removed = [f"no longer allowed: {text}" for text, _ in not_covered(before, after, denies=False)]
    removed += [f"denied: {text}" for text, _ in not_covered(after, before, denies=True)]
    return gains, removed


def _attached(change: ResourceChange) -> tuple[list[Gain], list[str]]:
    before = {name: (text, alarm) for name, text, alarm in _given(change, change.before)}
    after = {name: (text, alarm) for name, text, alarm in _given(change, change.after)}
    gains = [
        Gain(
            text=f"attached: {text}",
            alarm=alarm,
            severity=Severity.HIGH if alarm else Severity.MEDIUM,
        )
        for name, (text, alarm) in after.items()
        if name not in before
    ]
    removed = [f"detached: {text}" for name, (text, _) in before.items() if name not in after]
    return gains, removed


def _given(change: ResourceChange, values: Values | None) -> Iterator[tuple[str, str, str]]:
    if values is None:
        return
    if change.type in _ATTACHMENTS:
        policy = str(values.get("policy_arn"))
        owners = [
            str(owner)
            for key in ("role", "user", "group", "roles", "users", "groups")
            for owner in as_list(values.get(key))
        ]
        text = f"{policy} to {', '.join(owners) or 'nobody'}"
        yield text, text, "everything" if policy.endswith(_EVERYTHING) else ""
    elif change.type == "aws_iam_role":
        for inline in map(as_map, as_list(values.get("inline_policy"))):
            for statement in statements_of(inline.get("policy")) or ():
                for line, new in not_covered([statement], (), denies=False):
                    yield line, f"inline policy {inline.get('name')}: {line}", new.alarm
