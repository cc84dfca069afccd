"""The bucket for the states of other stacks: its stack, its plan, its policies."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

from pydantic import JsonValue, ValidationError

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.identity import who_am_i
from biomodal_deploy.aws.session import open_session
from biomodal_deploy.aws.state_bucket import StateBucketChecker
from biomodal_deploy.config.backends import LocalBackend, StateBucket, stack_of
from biomodal_deploy.config.settings import CONTEXT_VARIABLE, StackSettings
from biomodal_deploy.errors import UsageError
from biomodal_deploy.iam import Place
from biomodal_deploy.workflow.location import Location, Step
from biomodal_deploy.workflow.planning import Planned, make_plan
from biomodal_deploy.workflow.stack import Stack, fresh_stack
from biomodal_deploy.workflow.state_files import local_state_of, resources_in
from biomodal_deploy.workflow.variables import PlanRequest
from biomodal_deploy.workflow.wanted_bucket import BucketOptions, Wanted

# Where only ARNs are written that name no account.
_NO_ACCOUNT: Final = "000000000000"


def own_stack(location: Location, wanted: Wanted, options: BucketOptions) -> Stack:
    """Return the stack that makes a bucket: one of cdktf.json, or one of its own.

    Raises:
        UsageError: A setting is wrong.
    """
    name, settings = _own_settings(location, wanted, options)
    context = {"stacks": {name: settings.model_dump(mode="json", exclude_defaults=True)}}
    own = replace(
        location,
        stacks={name: settings},
        environment={**location.environment, CONTEXT_VARIABLE: json.dumps(context)},
    )
    return Stack.at(own, name)


def plan_bucket(
    location: Location, wanted: Wanted, options: BucketOptions, request: PlanRequest
) -> tuple[Stack, Planned]:
    """Plan a bucket, or what its settings have become, and seal the plan.

    Returns:
        The bucket's stack, and its plan.

    Raises:
        UsageError: A setting is wrong, or there is such a bucket and this stack did not make it.
        EngineError: Terraform failed, or AWS does not say whether the bucket is there.
        Interrupted: It was asked to stop.
    """
    stack = own_stack(location, wanted, options)
    kept_here = isinstance(stack.settings.backend, LocalBackend)
    if kept_here and resources_in(local_state_of(stack)) == 0:
        location.on_event(Step("Asking AWS for the bucket"))
        bucket_checker(location, wanted).require_free()
    stack = fresh_stack(stack.location, stack.name)
    return stack, make_plan(stack, request)


def bucket_checker(location: Location, wanted: Wanted) -> StateBucketChecker:
    """Return what asks AWS about a bucket.

    Raises:
        EngineError: AWS does not say who is calling.
    """
    account = who_am_i(wanted.region, location.environment).account
    clients = Clients(open_session(wanted.region), wanted.region)
    return StateBucketChecker(clients, wanted.bucket, account, wanted.writes)


def left_to_move(location: Location, wanted: Wanted) -> tuple[str, ...]:
    """Return the stacks that use a bucket and still have a local state with resources."""
    stacks = (
        Stack.at(location, name)
        for name in wanted.keys
        if name and location.settings(name).backend.kind != "local"
    )
    return tuple(each.name for each in stacks if resources_in(local_state_of(each)) != 0)


def policy_of(location: Location, wanted: Wanted, *, writes: bool = True) -> dict[str, JsonValue]:
    """Return the least policy of who plans and applies with states in a bucket.

    Args:
        writes: Whether it is for who applies, and not for who plans alone.
    """
    from biomodal_deploy.iam.policies import state_policy

    account = _NO_ACCOUNT
    if wanted.kms_key_id and not wanted.kms_key_id.startswith("arn:"):
        account = who_am_i(wanted.region, location.environment).account
    place = Place.of(wanted.region, account)
    keys = list(wanted.keys.values())
    return state_policy(place, wanted.bucket, keys, wanted.kms_key_id, writes=writes)


def _own_settings(
    location: Location, wanted: Wanted, options: BucketOptions
) -> tuple[str, StackSettings]:
    written = {
        name: each
        for name, each in location.stacks.items()
        if each.state_bucket and each.state_bucket.bucket == wanted.bucket
    }
    name, before = next(iter(written.items()), (stack_of(wanted.bucket), None))
    made = before.state_bucket if before else None
    given = {
        "bucket": wanted.bucket,
        "kms_key_id": wanted.kms_key_id or (made.kms_key_id if made else None),
        "keep_days": options.keep_days or (made.keep_days if made else 90),
        "tags": dict(options.tags or (made.tags if made else {})),
    }
    try:
        settings = StateBucket.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        rule = str(first.get("ctx", {}).get("error", first["msg"]))
        raise UsageError(
            rule, field=".".join(map(str, first["loc"])), value=first["input"], fix="correct it"
        ) from None
    if before:
        return name, before.model_copy(update={"state_bucket": settings})
    theirs = {each.account for each in map(location.settings, wanted.keys)}
    return name, StackSettings(
        bootstrap="state-bucket",
        # Where those who use it are in the same, it belongs there as well.
        account=next(iter(theirs)) if len(theirs) == 1 else (),
        region=(wanted.region,),
        state_bucket=settings,
    )
