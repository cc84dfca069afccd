"""Who is calling, where, whether this stack may go there, and what the caller may do."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

from biomodal_deploy.aws.checks import Finding, Unavailable, failed, passed, unknown, warned
from biomodal_deploy.aws.clients import as_finished
from biomodal_deploy.aws.errors import classify_error, or_none
from biomodal_deploy.aws.preflight.facts import Caller, Facts
from biomodal_deploy.aws.preflight.target import Target

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import ContextEntryTypeDef, EvaluationResultTypeDef


def credentials(facts: Facts) -> Finding:
    """Whether AWS knows the caller; without it no plan works, so no answer is a failure."""
    try:
        caller = facts.caller()
    except (BotoCoreError, ClientError) as error:
        failure = classify_error(error, facts.clients)
        return failed(failure.line, failure.fix)
    return passed(
        f"account {caller.account} as {caller.arn} (credentials: {facts.clients.credentials()})"
    )


def region(facts: Facts) -> Finding:
    """Whether the region exists and the account has enabled it."""
    clients, name = facts.clients, facts.target.region
    known = clients.known_regions()
    if name in known and _answers(facts):
        return passed(f"{name} answers, in partition {facts.caller().partition}")
    status = _opt_in_status(facts)
    if status is None:
        close = get_close_matches(name, known, n=1)
        return failed(
            f"AWS has no region {name} in partition {clients.partition}",
            f'set region = "{close[0]}"' if close else "correct region in terraform.tfvars",
        )
    if status == "not-opted-in":
        return failed(
            f"the account has not enabled {name}",
            shlex.join(["aws", "account", "enable-region", "--region-name", name]),
        )
    return passed(f"{name} is enabled")


def limits(facts: Facts) -> Finding:
    """Whether account and region are those that the stack is limited to."""
    allowed, target = facts.target.limits, facts.target
    if allowed.regions and target.region not in allowed.regions:
        return failed(
            f"the stack is limited to {' or '.join(allowed.regions)}, not {target.region}",
            'correct region in terraform.tfvars, or region and "limits" in cdktf.json',
        )
    if allowed.account_ids:
        account = facts.caller().account
        if account not in allowed.account_ids:
            return failed(
                f"the stack is limited to account {' or '.join(allowed.account_ids)}, "
                f"not {account}",
                "use that account's credentials (AWS_PROFILE), or correct account and "
                '"limits" in cdktf.json',
            )
        return passed(f"account {account} and region {target.region} are within the limits")
    if allowed.regions:
        return passed(f"region {target.region} is within the limits; no account is named")
    return passed("the stack has no limits on account and region")


def partition(facts: Facts) -> Finding:
    """Whether the implementation can be deployed in the region's partition."""
    name = facts.clients.partition
    if name != "aws" and facts.target.bootstrap == "module":
        return warned(
            f"the upstream module writes arn:aws, but {facts.target.region} is in {name}",
            'set "bootstrap": "native" in cdktf.json',
        )
    return passed(f"partition {name}")


def _answers(facts: Facts) -> bool:
    try:
        facts.caller()
    except (BotoCoreError, ClientError):
        return False
    return True


def _opt_in_status(facts: Facts) -> str | None:
    """Return what AWS, asked in a region that every account has, says; None: no such region."""
    describe, names = facts.clients.ec2_at_home().describe_regions, [facts.target.region]
    ask = partial(describe, RegionNames=names, AllRegions=True)
    if (said := or_none(ask, "InvalidParameterValue")) is None:
        return None
    return next((each.get("OptInStatus", "") for each in said["Regions"]), None)


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
