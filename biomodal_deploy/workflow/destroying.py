"""The ledger around a destroy: what there is before it, what is left after it.

Nothing here refuses or delays a destroy for an account that does not answer, and nothing here
changes anything in AWS.
"""

from __future__ import annotations

from contextlib import suppress

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.identity import is_ours
from biomodal_deploy.aws.ledger import Ledger, Leftovers, save_ledger, save_leftovers
from biomodal_deploy.aws.ledger.target import Target, target_of
from biomodal_deploy.aws.session import open_session
from biomodal_deploy.errors import BiomodalError, Interrupted, UsageError
from biomodal_deploy.plan import Plan, PlanKind
from biomodal_deploy.plan.history import Event, plans_in_order
from biomodal_deploy.plan.sealed import SealedPlan, UseState
from biomodal_deploy.workflow.location import Step
from biomodal_deploy.workflow.stack import Stack

_UNTOLD = "nobody could be asked"


def take_ledger(stack: Stack, sealed_plan: SealedPlan, plan: Plan) -> Ledger:
    """Read what a stack holds that is to be destroyed, and keep it beside the sealed plan."""
    from biomodal_deploy.aws.ledger.search import read_ledger, unread_ledger

    target = target_of(sealed_plan.manifest.facts, plan)
    try:
        clients = _clients(stack, target)
    except UsageError as error:
        ledger = unread_ledger(target, error.rule, error.fix)
    else:
        if not target.is_empty:
            stack.on_event(Step("Looking at what it holds"))
        ledger = read_ledger(target, clients, lambda text: stack.on_event(Step(text)))
    # A full disk is no reason to keep anybody from destroying.
    with suppress(BiomodalError):
        save_ledger(sealed_plan.path, ledger)
    return ledger


def list_leftovers(stack: Stack, sealed_plan: SealedPlan, plan: Plan) -> Leftovers:
    """Search for what is left of a stack that was destroyed, and keep that with its history.

    Args:
        sealed_plan: The destroy plan that was applied.
    """
    from biomodal_deploy.aws.ledger.search import find_leftovers, no_leftovers, unread_leftovers

    target = _whole(stack, sealed_plan, target_of(sealed_plan.manifest.facts, plan))
    try:
        if target.is_nameless and not stack.synthesized.uses_aws:
            # A stack of something else: there is nothing of AWS to look for.
            return no_leftovers(target)
        clients = _clients(stack, target)
        stack.on_event(Step("Looking for what is left"))
        leftovers = find_leftovers(target, clients, lambda text: stack.on_event(Step(text)))
    except UsageError as error:
        leftovers = unread_leftovers(target, error.rule, error.fix)
    except (KeyboardInterrupt, Interrupted):
        # The destroy is done: that is what has to be said, whatever comes after it.
        leftovers = unread_leftovers(target, "the search was stopped")
    with suppress(BiomodalError):
        save_leftovers(sealed_plan.path, leftovers)
        stack.history.append(
            Event.REMAINS,
            sealed_plan=sealed_plan.id,
            message=leftovers.sentence(),
            details={
                "left": len(leftovers.left),
                "bills": len(leftovers.bills),
                "unread": len(leftovers.unread),
            },
        )
    return leftovers


def _whole(stack: Stack, sealed_plan: SealedPlan, target: Target) -> Target:
    """Add what earlier destroys were about that failed on the way to this one."""
    facts = sealed_plan.manifest.facts
    for path in plans_in_order(stack.location.plans, stack.name):
        try:
            found = SealedPlan.load(path)
            there = found.manifest.facts
            if path.name == sealed_plan.id or found.manifest.kind is not PlanKind.DESTROY:
                continue
            if found.use.state is UseState.APPLIED:
                break
            if found.use.state is not UseState.UNUSED and (
                (there.account, there.region) == (facts.account, facts.region)
            ):
                target = target.with_earlier(target_of(there, found.plan()))
        except BiomodalError:
            continue  # damaged: what it knew is lost, and the rest is not
    return target


def _clients(stack: Stack, target: Target) -> Clients:
    """Return how to ask the account that the plan was made for; refuse where there is no way to."""
    if not is_ours(stack.location.environment):
        # With the credentials of this process another account would be asked.
        raise UsageError(
            f"{_UNTOLD}: the environment names other credentials than this process has",
            fix="run biomodal-aws in that environment",
        )
    if target.region is None:
        raise UsageError(f"{_UNTOLD}: the plan names no region", fix="set region")

    return Clients(open_session(target.region), target.region)
