"""The quick checks of the account, beside the plan: they cost no time of their own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from biomodal_deploy.errors import BiomodalError
from biomodal_deploy.plan import PlanKind
from biomodal_deploy.workflow.requests import PlanRequest
from biomodal_deploy.workflow.signals import Listener, Notice
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.unfinished import Unfinished, last_not_applied

if TYPE_CHECKING:
    from biomodal_deploy.aws.checks import Report

# They began before Terraform did, and Terraform takes longer; a plan does not wait for AWS's sake.
_GRACE_SECONDS: Final = 2.0
_CHECKED: Final = ("module", "native")


@contextmanager
def quick_checks(
    stack: Stack, request: PlanRequest, listen: Listener, owned: frozenset[str]
) -> Iterator[None]:
    """Ask the account what an apply would meet while the block runs, then tell what was found.

    Nothing here refuses a plan: the checks look at the account, the guards at the plan.

    Args:
        stack: The stack; only those of this project's app are checked.
        request: What is planned; a destroy plan meets nothing new.
        listen: Told in notices, also where the block fails: a missing role may be why.
        owned: What the stack's state holds: those names are not taken by somebody else.
    """
    settings = stack.location.deployments.get(stack.name)
    if settings is None or settings.bootstrap not in _CHECKED or request.kind is not PlanKind.APPLY:
        yield
        return
    found: list[Report] = []
    thread = threading.Thread(target=_check, args=(stack, request, owned, found), daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join(_GRACE_SECONDS)
        _tell(found, last_not_applied(stack), listen)


def _check(stack: Stack, request: PlanRequest, owned: frozenset[str], found: list[Report]) -> None:
    # Here, beside Terraform: boto3 takes a while to import.
    from biomodal_deploy.aws.preflight import run_preflight
    from biomodal_deploy.aws.session import open_session
    from biomodal_deploy.workflow.preflight_target import read_target

    location = stack.location
    try:
        target = read_target(
            location, stack.settings, request.var_files, request.variables, cwd=request.cwd
        )
        found.append(run_preflight(target, open_session(target.region), quick=True, owned=owned))
    except BiomodalError:
        # What is wrong with values or credentials, the plan itself says.
        return


def _tell(found: list[Report], unfinished: Unfinished | None, listen: Listener) -> None:
    from biomodal_deploy.aws.checks import Verdict
    from biomodal_deploy.aws.preflight.checks import Layer

    if not found:
        listen(Notice("The quick checks of the account gave no answer: biomodal-aws doctor asks"))
        return
    report = found[0]
    for finding in report.findings:
        if finding.verdict in (Verdict.FAIL, Verdict.WARNING):
            fix = f". Fix: {finding.fix}" if finding.fix else ""
            if unfinished and finding.layer == Layer.NAMES:
                # Advice to delete it would delete what that apply has just made.
                fix = (
                    f". The apply of the plan {unfinished.name} may have made it"
                    f" ({unfinished.use.sentence()}): do not delete it before that is clear"
                )
            listen(Notice(f"{finding.title}: {finding.line}{fix}"))
    counts = (f"{report.count(verdict)} {verdict.value}" for verdict in Verdict)
    listen(Notice(f"Quick checks of the account: {', '.join(counts)} (all: biomodal-aws doctor)"))
