"""A policy beside what is needed: what it lacks, what IAM does not know, and what it gives away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from pydantic import ConfigDict

from biomodal_deploy.iam import Place, iam_reference
from biomodal_deploy.iam.catalog import SUFFIX
from biomodal_deploy.iam.evaluate import decide, matches
from biomodal_deploy.iam.language import PolicyDocument, Statement
from biomodal_deploy.iam.needs import Need
from biomodal_deploy.iam.probes import foreign, wanted

# AWS answers it to everyone; a policy may say so and gives nothing away.
_FREE: Final = "sts:getcalleridentity"
_PLACEHOLDER: Final = re.compile(r"\$\{([A-Z]\w*)\}")


class Fault(StrEnum):
    """What is wrong with a policy."""

    MISSING = "missing"
    DEPENDS = "depends"
    UNKNOWN = "unknown"
    BROADER = "broader"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        action: The IAM action, as the policy or the need has it.
        phases: When it is needed; empty where it is not.
        addresses: Which blocks need it.
    """

    # In the JSON of `policy check` each key is always there.
    __pydantic_config__: ClassVar = ConfigDict(json_schema_serialization_defaults_required=True)

    fault: Fault
    action: str
    resources: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    detail: str


def check(
    policies: Sequence[PolicyDocument], needs: Sequence[Need], place: Place
) -> tuple[Finding, ...]:
    """Return what is wrong with policies for a stack, the gravest first.

    Args:
        policies: What one user or role holds, together.
    """
    return (
        *_lacking(policies, needs, place),
        *_unknown(policies),
        *_unneeded(policies, needs),
        *_too_wide(policies, needs, place),
    )


def lacking(policies: Sequence[PolicyDocument], need: Need, place: Place) -> tuple[str, ...]:
    """Return why policies do not suffice for one need; nothing where they do."""
    return tuple(dict.fromkeys(detail for _, _, detail in _refusals(policies, need, place)))


def _lacking(
    policies: Sequence[PolicyDocument], needs: Sequence[Need], place: Place
) -> Iterator[Finding]:
    found: dict[tuple[Fault, str, tuple[str, ...], str], list[Need]] = {}
    for need in needs:
        for fault, resource, detail in _refusals(policies, need, place):
            found.setdefault((fault, need.action, (resource,), detail), []).append(need)
    for (fault, action, resources, detail), cases in sorted(found.items()):
        yield Finding(
            fault=fault,
            action=action,
            resources=resources,
            phases=tuple(dict.fromkeys(need.phase for need in cases)),
            addresses=tuple(dict.fromkeys(need.address for need in cases)),
            detail=detail,
        )


def _refusals(
    policies: Sequence[PolicyDocument], need: Need, place: Place
) -> Iterator[tuple[Fault, str, str]]:
    """Give what of a need is refused: the resource as the need has it, and why."""
    for resource in need.resources:
        one = need.only(resource)
        for request in wanted(one, place):
            decision = decide(policies, request)
            if decision.certain:
                continue
            if decision.allowed:
                keys = ", ".join(decision.depends_on)
                yield Fault.DEPENDS, resource, f"only where {keys} is as the policy wants it"
            elif decision.by:
                yield Fault.MISSING, resource, f"denied by {_name(decision.by)}"
            else:
                yield Fault.MISSING, resource, _why_not(policies, need.action)
            break


def _why_not(policies: Sequence[PolicyDocument], action: str) -> str:
    granting = [
        statement
        for policy in policies
        for statement in policy.statements
        if statement.effect == "Allow"
        and any(matches(pattern, action, ignore_case=True) for pattern in statement.actions)
    ]
    if not granting:
        return "not granted"
    places = dict.fromkeys(resource for each in granting for resource in each.resources)
    conditions = "" if not any(each.condition for each in granting) else ", under conditions"
    return f"granted only on {', '.join(map(short, places))}{conditions}"


def _unknown(policies: Iterable[PolicyDocument]) -> Iterator[Finding]:
    for policy in policies:
        for statement in policy.statements:
            for pattern in (*statement.actions, *statement.not_actions):
                if not iam_reference.expanded(pattern):
                    detail = "IAM has no such action"
                    yield Finding(fault=Fault.UNKNOWN, action=pattern, detail=detail)
            for resource in (*statement.resources, *statement.not_resources):
                if placeholders := _PLACEHOLDER.findall(resource):
                    detail = f"{', '.join(placeholders)} was never filled in: it matches nothing"
                elif not resource.startswith("arn:") and resource.strip("*"):
                    detail = "a resource is an ARN or *; IAM refuses the policy"
                else:
                    continue
                yield Finding(
                    fault=Fault.UNKNOWN,
                    action=_actions(statement),
                    resources=(resource,),
                    detail=detail,
                )


def _unneeded(policies: Iterable[PolicyDocument], needs: Sequence[Need]) -> Iterator[Finding]:
    needed = {_FREE, *(need.action.lower() for need in needs)}
    for policy in policies:
        for statement in policy.statements:
            if statement.effect != "Allow":
                continue
            for pattern in statement.actions:
                extra = [
                    each for each in iam_reference.expanded(pattern) if each.lower() not in needed
                ]
                if extra:
                    yield Finding(
                        fault=Fault.BROADER,
                        action=pattern,
                        resources=statement.resources,
                        detail=_extra(pattern, extra),
                    )
            if statement.not_actions:
                yield Finding(
                    fault=Fault.BROADER,
                    action=f"all but {_actions(statement)}",
                    resources=statement.resources,
                    detail="NotAction allows everything else, what AWS adds later too",
                )


def _extra(pattern: str, extra: Sequence[str]) -> str:
    if "*" not in pattern and "?" not in pattern:
        return "nothing needs it"
    return f"covers {len(extra)} actions that nothing needs"


def _too_wide(
    policies: Sequence[PolicyDocument], needs: Sequence[Need], place: Place
) -> Iterator[Finding]:
    """Give what reaches other people's things."""
    by_action: dict[str, list[Need]] = {}
    for need in needs:
        by_action.setdefault(need.action, []).append(need)
    for action, same in sorted(by_action.items()):
        reached = [
            request.resource
            for need in same
            for request in foreign(need, place)
            if decide(policies, request).certain
        ]
        if reached:
            yield Finding(
                fault=Fault.BROADER,
                action=action,
                resources=_wide_resources(policies, action),
                detail=f"reaches what is not this stack's; needed only {_only(same)}",
            )


def _wide_resources(policies: Sequence[PolicyDocument], action: str) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            resource
            for policy in policies
            for statement in policy.statements
            if statement.effect == "Allow"
            and any(matches(each, action, ignore_case=True) for each in statement.actions)
            for resource in statement.resources
            if "*" in resource
        )
    )


def _only(needs: Sequence[Need]) -> str:
    resources = dict.fromkeys(
        resource
        for need in needs
        for resource in need.resources
        if "*" not in resource or need.condition
    )
    conditions = dict.fromkeys(
        f"{key} = {' or '.join(map(short, values))}"
        for need in needs
        for keys in need.condition.values()
        for key, values in keys.items()
    )
    where = f" where {', '.join(conditions)}" if conditions else ""
    return f"on {', '.join(map(short, resources))}{where}"


def short(arn: str) -> str:
    """Return an ARN for people, without what is the same for all: `instance/*`."""
    return (arn.split(":", 5)[5] if arn.startswith("arn:") else arn).replace(SUFFIX, "*")


def _actions(statement: Statement) -> str:
    return ", ".join(statement.actions or statement.not_actions)


def _name(statement: Statement) -> str:
    return f"statement {statement.sid}" if statement.sid else "a Deny statement"
