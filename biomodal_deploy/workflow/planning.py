"""From sources to a sealed plan: synthesize, initialize, plan, judge, seal, write down."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from biomodal_deploy.aws.identity import Identity
from biomodal_deploy.engine.terraform import TerraformCli
from biomodal_deploy.errors import EngineError, Interrupted
from biomodal_deploy.plan import Action, Plan, PlanKind, read_plan
from biomodal_deploy.plan.guards import Outcome, Verdict, judge
from biomodal_deploy.plan.history import Event, History
from biomodal_deploy.plan.impossible import Impossible, check_allowed
from biomodal_deploy.plan.sealed import Draft, SealedPlan, authors_of, drafting, prune, sha256
from biomodal_deploy.review.cost.limits import judge_cost
from biomodal_deploy.workflow.account_checks import count_contents, count_running, quick_checks
from biomodal_deploy.workflow.backend_checks import require_public_key, warn_state_in_output
from biomodal_deploy.workflow.destination import (
    check_destination,
    check_state_file,
    destination_now,
    last_destination,
)
from biomodal_deploy.workflow.failed_runs import warn_unfinished
from biomodal_deploy.workflow.location import Notice, Step
from biomodal_deploy.workflow.lost_state import state_to_plan_from
from biomodal_deploy.workflow.plan_facts import (
    AwsLocation,
    ask_alias,
    ask_identity,
    facts_now,
    locate,
)
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.terraform_setup import initialize, open_engine, warn_dropped_variables
from biomodal_deploy.workflow.variables import Given, PlanRequest, given_values


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A sealed plan, fresh."""

    sealed_plan: SealedPlan
    plan: Plan
    seconds: float

    @property
    def refusals(self) -> tuple[Verdict, ...]:
        """What guards refuse; such a plan is sealed, and can be shown but not applied."""
        verdicts = self.sealed_plan.manifest.verdicts
        return tuple(each for each in verdicts if each.outcome is Outcome.REFUSED)


def make_plan(stack: Stack, request: PlanRequest) -> Planned:
    """Make and seal a plan.

    Args:
        stack: The stack, freshly synthesized.

    Raises:
        UsageError: Variables, allowances or settings are wrong.
        SealedPlanRefused: The history is broken.
        GuardRefused: The last apply went to another account, region or endpoint.
        EngineError: Terraform failed.
        Interrupted: It was asked to stop.
    """
    started = time.monotonic()
    check_allowed(request.allow)  # before Terraform runs for a name that is misspelt
    stack.history.whole()  # a plan that cannot be written down cannot be applied either
    warn_unfinished(stack)
    # What can no longer be applied still holds its secrets in clear.
    prune(stack.location.plans, stack.name)
    given = given_values(stack, request.var_files, request.variables, request.cwd)
    for note in given.resolved.notes:
        stack.on_event(Notice(note))
    if request.kind is PlanKind.APPLY:
        require_public_key(stack, given.resolved.values)
    place = locate(stack, given.resolved.values)
    identity = ask_identity(stack, place.region)
    alias = ask_alias(stack, place.region, identity)
    redact = given.redactor.text
    engine = open_engine(stack, redact=redact)
    warn_dropped_variables(engine, stack.on_event)
    warn_state_in_output(stack, engine.workspace)
    history = History(stack.location.plans, stack.name, redact=redact)
    with _record_failures(history):
        _check_destination(stack, engine.workspace, place, identity, request)
    with (
        _record_failures(history),
        drafting(stack.location.plans, stack.name) as draft,
    ):
        identity.result()  # without credentials, nothing that follows is worth waiting for
        initialize(stack, engine, draft.logs / "init.log", readonly_lock=request.readonly_lock)
        state = state_to_plan_from(stack, engine, to_plan=True)
        values = given.write(draft.path)
        with quick_checks(stack, request, state.owned) as checks:
            plan = _plan(engine, draft, request.kind, values, stack, given)
            met = checks.refusals(plan)
        stack.on_event(Step("Sealing the plan"))
        facts = facts_now(
            stack,
            engine,
            state=state.header,
            var_files=given.files,
            place=place,
            identity=identity,
            alias=alias,
        )
        verdicts = _judged(stack, request, plan, place, facts.account, met)
        sealed_plan = draft.seal(
            plan,
            facts,
            kind=request.kind,
            verdicts=verdicts,
            lifetime=timedelta(hours=stack.settings.plan_hours),
            variables_sha256=sha256(values.read_bytes()),
            authors=authors_of(stack.location.project_dir) if stack.settings.approvals else (),
        )
    _write_down(history, sealed_plan, request.account_moved)
    return Planned(sealed_plan=sealed_plan, plan=plan, seconds=time.monotonic() - started)


def _check_destination(
    stack: Stack,
    workspace: str,
    place: AwsLocation,
    identity: Future[Identity | None],
    request: PlanRequest,
) -> None:
    """Refuse to plan anywhere but where the last apply went, before Terraform runs."""
    check_state_file(stack, workspace)
    if request.account_moved is None and last_destination(stack, workspace) is None:
        return  # nothing to compare with, and so no reason to wait for AWS here
    now = destination_now(stack, workspace, place, identity)
    check_destination(stack, workspace, now, request.account_moved)
    if request.account_moved:
        stack.on_event(Notice(f"The state belongs to {now} from the next apply on"))


def _plan(
    engine: TerraformCli, draft: Draft, kind: PlanKind, values: Path, stack: Stack, given: Given
) -> Plan:
    stack.on_event(Step("Planning"))
    engine.plan(
        draft.plan_file,
        stack.on_event,
        draft.logs / "plan.log",
        var_files=[values],
        destroy=kind is PlanKind.DESTROY,
        refresh_only=kind is PlanKind.REFRESH_ONLY,
    )
    plan, _ = read_plan(
        engine.show_plan(draft.plan_file),
        stack.synthesized.construct_paths,
        given.resolved.secrets,
    )
    return plan


def _judged(
    stack: Stack,
    request: PlanRequest,
    plan: Plan,
    place: AwsLocation,
    account: str | None,
    met: Sequence[Impossible],
) -> tuple[Verdict, ...]:
    settings = stack.settings
    return (
        *judge(
            plan,
            kind=request.kind,
            protected={*settings.protected, *_adopted(plan)},
            limits=settings.bounds,
            allow_destroy=request.allow_destroy,
            by_name=request.by_name,
            account=account,
            region=place.region,
            found=met,
            running=count_running(plan, place.region, stack.location.environment),
            allow=request.allow,
            declared=stack.synthesized.addresses,
            object_counts=count_contents(plan, place.region, stack.location.environment),
        ),
        *judge_cost(plan, settings.bounds, place.region, stack.location.project_dir),
    )


def _adopted(plan: Plan) -> set[str]:
    """Return the kinds that a plan which moves or imports anything may not lose unnamed: all."""
    adopts = any(change.moved or change.imported for change in plan.resource_changes)
    return {loss.type for loss in plan.losses if adopts and loss.action is not Action.FORGET}


@contextmanager
def _record_failures(history: History) -> Iterator[None]:
    """Write down that there was to be a plan, and why there is none."""
    try:
        yield
    except EngineError as error:
        history.append(Event.RESULT, message=f"no plan: {error}", details={"ok": False})
        raise
    except (Interrupted, KeyboardInterrupt) as error:
        history.append(Event.INTERRUPTED, message=f"no plan: {str(error) or 'stopped'}")
        raise


def _write_down(history: History, sealed_plan: SealedPlan, account_moved: str | None) -> None:
    manifest = sealed_plan.manifest
    refused = sum(verdict.outcome is Outcome.REFUSED for verdict in manifest.verdicts)
    history.append(
        Event.PLAN,
        sealed_plan=sealed_plan.id,
        message=manifest.counts.sentence(),
        details={
            "kind": str(manifest.kind),
            "sha256": sealed_plan.sha256,
            "refused": refused,
            "commit": manifest.facts.git_commit,
            # The apply asks for this one: it is what allows the plan to go elsewhere.
            **({"account_moved": account_moved} if account_moved else {}),
        },
    )
