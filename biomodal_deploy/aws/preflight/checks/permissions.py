"""What the caller may do, decided by IAM's simulator before anything is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from biomodal_deploy.aws.checks import Finding, Unavailable, failed, passed, unknown
from biomodal_deploy.aws.clients import as_finished
from biomodal_deploy.aws.preflight.facts import Caller, Facts
from biomodal_deploy.aws.preflight.target import Target

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import ContextEntryTypeDef, EvaluationResultTypeDef


# Condition keys that hold several values in one request.
_LIST_KEYS: Final = frozenset({"aws:TagKeys"})


@dataclass(frozen=True)
class ActionGroup:
    """Actions that an apply calls on the same resources.

    Attributes:
        resources: ARNs, or `*` where AWS allows nothing narrower.
        context: Condition keys as the calls carry them, with their values.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Needed:
    """What the life cycle of a stack needs.

    Attributes:
        gaps: Resources of which nobody knows what they need.
    """

    groups: tuple[ActionGroup, ...]
    gaps: tuple[str, ...] = ()


NeededActions: TypeAlias = Callable[[Target, str], Needed]
"""Tells what planning, applying and destroying a stack calls in an account."""


_SHOWN: Final = 6
_PARALLEL: Final = 16
_SECONDS: Final = 8.0


def caller_policy(facts: Facts, needed_actions: NeededActions | None) -> Finding:
    """Whether the caller's policies, boundary and organization allow the whole life cycle."""
    if needed_actions is None:
        return unknown(
            "what an apply calls is known once the stack is synthesized", "biomodal-aws synth"
        )
    caller = facts.caller()
    if caller.arn.endswith(":root"):
        return passed("the account's root user may do everything; a role of less power is safer")
    source = _source(facts, caller)
    needed = needed_actions(facts.target, caller.account)
    results = _simulated(facts, source, needed.groups)
    denied = {each["EvalActionName"] for each in results if each["EvalDecision"] != "allowed"}
    # A condition on something that the simulation is not told (MFA, source address) denies here
    # and may allow a real call.
    unsure = {
        each["EvalActionName"]
        for each in results
        if each["EvalDecision"] == "implicitDeny" and each.get("MissingContextValues")
    }
    total = len({action for group in needed.groups for action in group.actions})
    if refused := sorted(denied - unsure):
        return failed(
            f"{len(refused)} of {total} actions are denied: {_some(refused)}{_by(results)}",
            "attach the policy that `biomodal-aws policy deployer` prints",
        )
    if unsure:
        return unknown(
            f"{len(unsure)} of {total} actions hang on conditions that IAM's simulator is not "
            f"told: {_some(sorted(unsure))}",
            "see the conditions of the caller's policies",
        )
    if needed.gaps:
        return unknown(
            f"IAM allows all {total} actions that are known, but not what {_some(needed.gaps)} "
            "needs is known",
            "see `biomodal-aws policy deployer`",
        )
    return passed(f"IAM allows all {total} actions of plan, apply and destroy to {source}")


def denied_to_caller(facts: Facts, group: ActionGroup) -> list[str]:
    """Return the actions of a group that the caller's own policies do not allow."""
    caller = facts.caller()
    if caller.arn.endswith(":root"):
        return []
    results = _simulated(facts, _source(facts, caller), [group])
    return sorted({each["EvalActionName"] for each in results if each["EvalDecision"] != "allowed"})


def _source(facts: Facts, caller: Caller) -> str:
    """Return the IAM user or role behind the caller; a session's ARN leaves out the role's path."""
    kind, _, name = caller.arn.rpartition(":")[2].partition("/")
    if kind == "user":
        return caller.arn
    if kind == "assumed-role":
        role = facts.clients.iam().get_role(RoleName=name.partition("/")[0])
        return role["Role"]["Arn"]
    raise Unavailable(f"IAM's simulator knows no {kind}")


def _simulated(
    facts: Facts, source: str, groups: Sequence[ActionGroup]
) -> list[EvaluationResultTypeDef]:
    jobs = [partial(simulate, facts, source, group) for group in groups]
    answers = as_finished(jobs, workers=_PARALLEL, seconds=_SECONDS)
    # Whoever may not ask once may not ask at all: the first error ends it.
    results = [outcome.result() for _, outcome in answers]
    if len(results) < len(jobs):
        raise Unavailable("IAM's simulator did not answer in time")
    return [each for result in results for each in result]


def simulate(facts: Facts, source: str, group: ActionGroup) -> list[EvaluationResultTypeDef]:
    """Return what IAM's simulator says of a group of actions, for a user or role."""
    context: list[ContextEntryTypeDef] = [
        {
            "ContextKeyName": key,
            "ContextKeyValues": list(values),
            "ContextKeyType": "stringList" if key in _LIST_KEYS else "string",
        }
        for key, values in group.context.items()
    ]
    pages = facts.clients.iam().get_paginator("simulate_principal_policy")
    return [
        result
        for page in pages.paginate(
            PolicySourceArn=source,
            ActionNames=list(group.actions),
            ResourceArns=list(group.resources),
            ContextEntries=context,
        )
        for result in page["EvaluationResults"]
    ]


def _by(results: Sequence[EvaluationResultTypeDef]) -> str:
    """Say where a policy that the caller cannot change denies."""
    if any(
        not each.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True)
        for each in results
    ):
        return " (some by the organization's service control policy)"
    if any(
        not each.get("PermissionsBoundaryDecisionDetail", {}).get(
            "AllowedByPermissionsBoundary", True
        )
        for each in results
    ):
        return " (some by the caller's permissions boundary)"
    return ""


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
