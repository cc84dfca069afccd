"""Apply a sealed plan: verify everything, refuse any difference, claim it, run it.

1. Its files are as sealed, it is unused and in time: `plan/sealed/verifying.py`.
2. All that it was made from and for, computed again, is the same: `recomputing.py`.
3. The guards' verdicts let it pass (`plan/guards.py`), and its approvals are there
   (`approving.py`). Where something is lost, the stack's name is asked for, and 1 to 3 begin again.
4. It is claimed: in S3, where the settings name a bucket (`approving.py`), then on this disk
   (`plan/sealed/use.py`). From here on it is used, whatever happens.
5. Terraform applies the bytes that were verified, held open since; the outcome is written down.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from biomodal_deploy.aws.ledger import Ledger, Leftovers
from biomodal_deploy.engine.process.stop_requests import read_stop_requests, stop_signals
from biomodal_deploy.engine.terraform import (
    ApplyRun,
    TerraformCli,
    TerraformFailed,
    TerraformStopped,
)
from biomodal_deploy.errors import (
    BiomodalError,
    EngineError,
    GuardRefused,
    Interrupted,
    SealedPlanRefused,
)
from biomodal_deploy.plan import Plan, PlanKind
from biomodal_deploy.plan.guards import enforce
from biomodal_deploy.plan.history import Event, History
from biomodal_deploy.plan.sealed import SealedPlan, UseState, consume, record_outcome
from biomodal_deploy.plan.sealed.approvals import ApprovalStatus
from biomodal_deploy.plan.sealed.use import use_of, used
from biomodal_deploy.text import counted
from biomodal_deploy.workflow.approving import CARRIED, check_approvals, claim
from biomodal_deploy.workflow.destination import destination_of, record
from biomodal_deploy.workflow.importing import EXISTS, held_elsewhere, offers
from biomodal_deploy.workflow.location import Notice, Step, WorkflowEvent
from biomodal_deploy.workflow.lost_state import StateDetails, state_details
from biomodal_deploy.workflow.recomputing import check
from biomodal_deploy.workflow.stack import Stack


@dataclass(frozen=True, kw_only=True)
class Applied:
    """A sealed plan that was applied.

    Attributes:
        seconds: How long it took, without the time that a person was asked.
        ledger, remains: Of a destroy: what there was before it, and what is left.
    """

    sealed_plan: SealedPlan
    run: ApplyRun
    seconds: float
    ledger: Ledger | None = None
    remains: Leftovers | None = None


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A sealed plan that may be applied, once its losses are confirmed.

    Attributes:
        stack: The stack, as it was synthesized for the plan.
        plan: It as data, as it is shown to whoever is asked.
    """

    stack: Stack
    sealed_plan: SealedPlan
    plan: Plan
    expect_sha256: str | None = None

    @property
    def must_be_confirmed(self) -> bool:
        """Whether something that exists is lost, so that the stack's name has to be given."""
        is_destroy = self.sealed_plan.manifest.kind is PlanKind.DESTROY
        return bool(self.plan.losses) or (is_destroy and self.plan.has_changes)

    def run(self, confirmed: str | None = None) -> Applied:
        """Verify everything, claim the plan, and apply exactly the bytes that were verified.

        What was verified before the question counts for nothing here: meanwhile anything may have
        been exchanged, or the plan's time may be over.

        Args:
            confirmed: The stack's name as it was typed, where something is lost.
        """
        started = time.monotonic()
        with _refusals_in(self.stack.history, self.sealed_plan):
            if self.must_be_confirmed:
                _check_name(self, confirmed)
            sealed_plan = _as_it_is(self.sealed_plan)
            stack = self.stack.with_listener(self._without_repeats)
            engine, values = check(stack, sealed_plan, expect_sha256=self.expect_sha256)
            enforce(sealed_plan.manifest.verdicts)
            approved = check_approvals(self.stack, sealed_plan)
        history = History(self.stack.location.plans, self.stack.name, redact=values.redactor.text)
        # From the claim to the outcome no signal may tear through what is written down. While
        # Terraform runs, they reach it all the same.
        with stop_signals() as stop_pipe:
            try:
                run = self._claim_and_run(sealed_plan, engine, history, stop_pipe, approved)
            finally:
                late = read_stop_requests(stop_pipe)
        if late:
            # It came when Terraform had ended: all is done, and that is what to say.
            run = replace(run, interrupted=True)
        return Applied(
            sealed_plan=SealedPlan.load(sealed_plan.path),
            run=run,
            seconds=time.monotonic() - started,
        )

    def _without_repeats(self, event: WorkflowEvent) -> None:
        # Notices were given when it was verified for the question.
        if not (self.must_be_confirmed and isinstance(event, Notice)):
            self.stack.on_event(event)

    def _claim_and_run(
        self,
        sealed_plan: SealedPlan,
        engine: TerraformCli,
        history: History,
        stop_pipe: int,
        approved: ApprovalStatus,
    ) -> ApplyRun:
        with ExitStack() as exits:
            with _refusals_in(self.stack.history, sealed_plan):
                plan_file = exits.enter_context(sealed_plan.held_plan_file())
                claim(self.stack, sealed_plan, approved)
                consume(sealed_plan.path)
            goes_to = record(
                destination_of(self.stack, sealed_plan.manifest.facts), engine.workspace
            )
            details = {"kind": str(sealed_plan.manifest.kind), **goes_to}
            if approved.names:
                details["approved_by"] = ", ".join(approved.names)
            if carried := approved.carried:
                details[CARRIED] = ", ".join(carried)
            history.append(Event.APPLY_START, sealed_plan=sealed_plan.id, details=details)
            return _run(self.stack, sealed_plan, plan_file, engine, history, stop_pipe)


def prepare(stack: Stack, sealed_plan: SealedPlan, *, expect_sha256: str | None = None) -> Ready:
    """Return a sealed plan that may be applied; what refuses it is refused before anybody is asked.

    Where nobody has to be asked, `Ready.run` verifies at once, and nothing is verified twice.

    Args:
        stack: The stack, as it was synthesized for the plan.

    Raises:
        SealedPlanRefused: Something differs from what was sealed.
        GuardRefused: A guard refused the plan.
        EngineError: Terraform or AWS does not say how things are.
    """
    with _refusals_in(stack.history, sealed_plan):
        sealed_plan = _as_it_is(sealed_plan)
        ready = Ready(
            stack=stack,
            sealed_plan=sealed_plan,
            plan=sealed_plan.plan(),
            expect_sha256=expect_sha256,
        )
        if ready.must_be_confirmed:
            check(stack, sealed_plan, expect_sha256=expect_sha256)
            enforce(sealed_plan.manifest.verdicts)
            check_approvals(stack, sealed_plan)
    return ready


def _as_it_is(sealed_plan: SealedPlan) -> SealedPlan:
    """Open it again: whoever holds it since long may not know that it was used, or exchanged."""
    found = SealedPlan.load(sealed_plan.path)
    found.require(sealed_plan.sha256)
    return found


@contextmanager
def _refusals_in(history: History, sealed_plan: SealedPlan) -> Iterator[None]:
    try:
        yield
    except (SealedPlanRefused, GuardRefused) as refusal:
        named = _named(refusal, sealed_plan)
        history.append(
            Event.REFUSAL,
            sealed_plan=sealed_plan.id,
            message=str(named),
            details={"code": getattr(named, "reason", named.code)},
        )
        raise named from None


def _named(
    refusal: SealedPlanRefused | GuardRefused, sealed_plan: SealedPlan
) -> SealedPlanRefused | GuardRefused:
    """Name the use where a file is missing: of several at once, the first takes the files away."""
    missing = isinstance(refusal, SealedPlanRefused) and refusal.reason == "missing_file"
    if missing and use_of(sealed_plan.path).state is not UseState.UNUSED:
        return used(sealed_plan.path)
    return refusal


def _check_name(ready: Ready, given: str | None) -> None:
    """Refuse a plan that loses something unless the stack's name was given."""
    stack = ready.sealed_plan.manifest.facts.stack
    if given == stack:
        return
    count = counted(len(ready.plan.losses), "resource")
    found = f'"{given}" is not its name' if given else "nobody can be asked here"
    raise GuardRefused(
        f"The plan {ready.sealed_plan.id} deletes, replaces or forgets {count} of {stack}, "
        f"and {found}."
        f" If that is meant: --confirm {stack}"
    )


def _run(
    stack: Stack,
    sealed_plan: SealedPlan,
    plan_file: Path,
    engine: TerraformCli,
    history: History,
    stop_pipe: int,
) -> ApplyRun:
    kind, on_event = sealed_plan.manifest.kind, stack.on_event
    try:
        on_event(Step("Destroying" if kind is PlanKind.DESTROY else "Applying"))
        _check_not_stopped(stop_pipe)
        # Used now, and held: a kill from here on leaves no secret on the disk.
        with suppress(BiomodalError):
            sealed_plan.drop_plan_file(but_held=True)
        run = engine.apply(plan_file, on_event, sealed_plan.logs / "apply.log")
    except BaseException as error:
        # A full disk is not the news then.
        with suppress(BiomodalError):
            _record_failure(sealed_plan, history, error, engine.workspace)
        if isinstance(error, TerraformFailed) and error.code == EXISTS:
            elsewhere = held_elsewhere(stack.location, stack.name)
            for offer in offers(sealed_plan.plan(), sealed_plan.manifest.facts, error, elsewhere):
                on_event(Notice(offer))
        raise
    finally:
        # It holds every secret in clear and, however this ended, is good for nothing more.
        with suppress(BiomodalError):
            sealed_plan.drop_plan_file()
    record_outcome(sealed_plan.path, UseState.APPLIED)
    history.append(
        Event.RESULT,
        sealed_plan=sealed_plan.id,
        message=f"{counted(len(run.completed), 'change')} made",
        details={"ok": True, "changes": len(run.completed), **state_details(engine)},
    )
    return run


def _check_not_stopped(stop_pipe: int) -> None:
    if read_stop_requests(stop_pipe):
        raise Interrupted("Stopped before Terraform was started: nothing was changed.")


def _record_failure(
    sealed_plan: SealedPlan, history: History, error: BaseException, workspace: str
) -> None:
    """Write down how an apply ended that did not end well."""
    run = error.run if isinstance(error, TerraformFailed | TerraformStopped) else None
    changes = len(run.completed) + len(run.tainted) if run else 0
    details: StateDetails = {"workspace": workspace, "changes": changes}
    if isinstance(error, EngineError):
        entry = history.append(
            Event.RESULT,
            sealed_plan=sealed_plan.id,
            message=str(error),
            details={"ok": False, **details},
        )
        record_outcome(sealed_plan.path, UseState.FAILED, entry.message)
        return
    # Where it is neither Terraform nor a stop request, it is a fault of ours, or a terminal that
    # is gone: the engine stopped Terraform, and has seen it end.
    stopped = isinstance(error, Interrupted)
    line = str(error) if stopped else f"stopped by {type(error).__name__}"
    entry = history.append(
        Event.INTERRUPTED, sealed_plan=sealed_plan.id, message=line, details=details
    )
    record_outcome(sealed_plan.path, UseState.INTERRUPTED, entry.message)
