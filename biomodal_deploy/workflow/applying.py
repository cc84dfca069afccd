"""Apply a sealed plan: recompute everything, refuse any difference, claim it, run it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from biomodal_deploy.engine.process.stop_requests import stop_signals, wished
from biomodal_deploy.engine.terraform import ApplyRun, TerraformCli
from biomodal_deploy.errors import (
    BiomodalError,
    BundleRefused,
    EngineError,
    GuardRefused,
    Interrupted,
)
from biomodal_deploy.plan import Plan, PlanKind
from biomodal_deploy.plan.guards import enforce
from biomodal_deploy.plan.history import Event, History
from biomodal_deploy.plan.sealed import Bundle, UseState, consume, record_outcome
from biomodal_deploy.text import counted
from biomodal_deploy.workflow.checking import check
from biomodal_deploy.workflow.signals import Listener, Step
from biomodal_deploy.workflow.stack import Stack

Confirm = Callable[[Bundle, Plan], None]


@dataclass(frozen=True, kw_only=True)
class Applied:
    """A sealed plan that was applied.

    Attributes:
        bundle: The sealed plan, used now.
        run: What Terraform did.
        seconds: How long it took.
    """

    bundle: Bundle
    run: ApplyRun
    seconds: float


def apply_bundle(
    stack: Stack,
    bundle: Bundle,
    *,
    confirm: Confirm,
    listen: Listener,
    expect_sha256: str | None = None,
) -> Applied:
    """Apply a sealed plan, once.

    Args:
        stack: The stack, as it was synthesized for the plan.
        bundle: The sealed plan.
        confirm: Asked before something that exists is lost; raises to refuse.
        listen: Told of what goes on.
        expect_sha256: The digest that was approved elsewhere.

    Raises:
        BundleRefused: Something differs from what was sealed.
        GuardRefused: A guard refused the plan, or the loss was not confirmed.
        EngineError: Terraform failed.
        Interrupted: It was asked to stop.
    """
    started = time.monotonic()
    with _refusals_in(stack.history, bundle):
        bundle = _as_it_is(bundle)
        plan = bundle.plan()
        engine, values = check(stack, bundle, listen, expect_sha256)
        enforce(bundle.manifest.verdicts)
        if plan.losses or (bundle.manifest.kind is PlanKind.DESTROY and plan.has_changes):
            confirm(bundle, plan)
    history = History(stack.location.plans, stack.name, redact=values.redactor.text)
    # From the claim to the outcome no signal may tear through what is written down. While
    # Terraform runs, they reach it all the same.
    with stop_signals() as wishes:
        try:
            with _refusals_in(stack.history, bundle):
                consume(bundle.path)
            run = _run(bundle, engine, history, listen, wishes)
        finally:
            late = wished(wishes)
    if late:
        # It came when Terraform had ended: all is done, and that is what to say.
        run = replace(run, interrupted=True)
    return Applied(bundle=Bundle.load(bundle.path), run=run, seconds=time.monotonic() - started)


def _as_it_is(bundle: Bundle) -> Bundle:
    """Open it again: whoever holds it since long may not know that it was used, or exchanged."""
    found = Bundle.load(bundle.path)
    found.require(bundle.sha256)
    return found


@contextmanager
def _refusals_in(history: History, bundle: Bundle) -> Iterator[None]:
    try:
        yield
    except (BundleRefused, GuardRefused) as refusal:
        history.append(
            Event.REFUSAL,
            bundle=bundle.id,
            message=str(refusal),
            details={"code": getattr(refusal, "reason", refusal.code)},
        )
        raise


def _run(
    bundle: Bundle, engine: TerraformCli, history: History, listen: Listener, wishes: int
) -> ApplyRun:
    kind = bundle.manifest.kind
    history.append(Event.APPLY_START, bundle=bundle.id, details={"kind": str(kind)})
    try:
        listen(Step("Destroying" if kind is PlanKind.DESTROY else "Applying"))
        _go_on(wishes)
        run = engine.apply(bundle.plan_file, listen, bundle.logs / "apply.log")
    except BaseException as error:
        # A full disk is not the news then.
        with suppress(BiomodalError):
            _record_failure(bundle, history, error)
        raise
    finally:
        # It holds every secret in clear and, however this ended, is good for nothing more.
        with suppress(BiomodalError):
            bundle.drop_plan_file()
    record_outcome(bundle.path, UseState.APPLIED)
    history.append(
        Event.RESULT,
        bundle=bundle.id,
        message=f"{counted(len(run.completed), 'change')} made",
        details={"ok": True, "changes": len(run.completed)},
    )
    return run


def _go_on(wishes: int) -> None:
    if wished(wishes):
        raise Interrupted("Stopped before Terraform was started: nothing was changed.")


def _record_failure(bundle: Bundle, history: History, error: BaseException) -> None:
    """Write down how an apply ended that did not end well."""
    if isinstance(error, EngineError):
        entry = history.append(
            Event.RESULT, bundle=bundle.id, message=str(error), details={"ok": False}
        )
        record_outcome(bundle.path, UseState.FAILED, entry.message)
        return
    # Where it is neither Terraform nor a wish to stop, it is a fault of ours, or a terminal that
    # is gone: the engine stopped Terraform, and has seen it end.
    stopped = isinstance(error, Interrupted)
    line = str(error) if stopped else f"stopped by {type(error).__name__}"
    entry = history.append(Event.INTERRUPTED, bundle=bundle.id, message=line)
    record_outcome(bundle.path, UseState.INTERRUPTED, entry.message)
