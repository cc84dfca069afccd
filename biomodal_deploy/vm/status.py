"""`status`: AWS's view of a stack, the VM's own view, and waiting until both are ready."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from pydantic import BaseModel

from biomodal_deploy.aws.checks import (
    CheckData,
    Seconds,
    Verdict,
    count_verdicts,
    run_checks,
    unknown,
)
from biomodal_deploy.aws.clients import Clients, open_clients
from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS
from biomodal_deploy.text import counted
from biomodal_deploy.vm.access import check_key, has_ssh, ssh_target_of
from biomodal_deploy.vm.checks import all_checks
from biomodal_deploy.vm.deployed import Deployed, read_deployed
from biomodal_deploy.vm.ssh_checks import check_inside
from biomodal_deploy.workflow.location import Listener, Step
from biomodal_deploy.workflow.stack import Stack

SECONDS: Final = 20.0
PAUSE_S: Final = 10.0
# A lost answer passes; the same one lost three times in a row is no accident.
_PATIENCE: Final = 3


@dataclass(frozen=True, kw_only=True)
class StatusRequest:
    """What a person asks `status` for.

    Attributes:
        deep: Check on the VM itself too.
        wait_s: Seconds to wait for it to become ready; None checks once.
        address: Another address of the VM's SSH server.
    """

    deep: bool = False
    wait_s: float | None = None
    address: str | None = None


class StatusData(BaseModel, frozen=True):
    """The health of a stack.

    Attributes:
        stack: The stack.
        region: Where it is.
        ready: Whether all is well.
        under_way: Whether time alone completes what is not.
        waited_seconds: How long `--wait` took.
        counts: How many of each verdict.
        checks: Each check.
    """

    stack: str
    region: str
    ready: bool
    under_way: bool
    waited_seconds: Seconds | None
    counts: dict[str, int]
    checks: tuple[CheckData, ...]

    @classmethod
    def of(cls, deployed: Deployed, checks: Sequence[CheckData]) -> StatusData:
        """Return how a stack is; what is unknown is not well, and what has failed stays so."""
        counts = count_verdicts(checks)
        return cls(
            stack=deployed.stack,
            region=deployed.region,
            ready=all(each.passed for each in checks),
            under_way=not counts[Verdict.FAIL] and any(each.under_way for each in checks),
            waited_seconds=None,
            counts=counts,
            checks=tuple(checks),
        )

    @property
    def exit_status(self) -> int:
        """The exit status that it stands for."""
        return EXIT_DONE if self.ready else EXIT_FINDINGS


def status_of(stack: Stack, request: StatusRequest, on_event: Listener) -> StatusData:
    """Return how a stack is.

    Raises:
        UsageError: Nothing is applied yet, or the key cannot be used.
        EngineError: Terraform cannot read the state.
        Interrupted: It was asked to stop.
    """
    deployed = read_deployed(stack, on_event)
    clients = open_clients(deployed.region)
    inside = _inside(stack, deployed, request, on_event) if request.deep else None

    def check_once() -> StatusData:
        status = check_status(deployed, clients)
        # A VM that is still starting would only say that it cannot be reached.
        if inside is None or _vm_is_away(status):
            return status
        on_event(Step("Checking on the VM itself"))
        return StatusData.of(deployed, _with(status, inside()))

    on_event(Step("Asking AWS"))
    if request.wait_s is None:
        return check_once()
    return wait_until_ready(
        check_once, timeout_s=request.wait_s, on_wait=lambda text: on_event(Step(text))
    )


def check_status(deployed: Deployed, clients: Clients) -> StatusData:
    """Ask AWS how a stack is; nothing is changed."""
    return StatusData.of(deployed, run_checks(all_checks(deployed, clients), clients, SECONDS))


def wait_until_ready(
    check_once: Callable[[], StatusData],
    *,
    timeout_s: float,
    on_wait: Callable[[str], None],
    pause_s: float = PAUSE_S,
) -> StatusData:
    """Check again and again until a stack is ready, has failed, or the time is over."""
    started = time.monotonic()
    unanswered = 0
    while True:
        status = check_once()
        waited = time.monotonic() - started
        unanswered = 0 if status.under_way else unanswered + 1
        silent = status.counts[Verdict.UNKNOWN] > 0 and unanswered < _PATIENCE
        over = status.ready or status.counts[Verdict.FAIL] > 0
        if over or not (status.under_way or silent) or waited >= timeout_s:
            return status.model_copy(update={"waited_seconds": waited})
        on_wait(_waiting(status.checks))
        time.sleep(min(pause_s, max(0.0, timeout_s - waited)))


def _waiting(findings: Sequence[CheckData]) -> str:
    first, *others = (each for each in findings if not each.passed)
    more = f", and {counted(len(others), 'more check')}" if others else ""
    return f"Waiting: {first.title}: {first.line}{more}"


def _inside(
    stack: Stack, deployed: Deployed, request: StatusRequest, on_event: Listener
) -> Callable[[], tuple[CheckData, ...]] | None:
    """Return what checks on the VM itself; None where there is no VM."""
    if deployed.vm is None:
        return None
    environment = stack.location.environment
    if not has_ssh(deployed):
        no_key = unknown(
            "this stack has no SSH key, so the VM itself cannot be checked",
            "connect: biomodal-aws connect --ssm; or set ssh_public_key and ssh_cidr_blocks",
        )
        return partial(tuple, [no_key.named("ssh", "SSH")])
    target = ssh_target_of(stack, deployed, request.address)
    # Before anybody waits for minutes.
    check_key(target)
    return partial(check_inside, deployed, target, environment, on_event)


def _vm_is_away(status: StatusData) -> bool:
    """Return whether the VM is starting or does not run; at another address it can be reached."""
    found = {each.check: each for each in status.checks}
    vm, checks = found["vm"], found["vm-status"]
    stopped = vm.verdict is Verdict.FAIL and not checks.passed
    return vm.under_way or checks.under_way or stopped


def _with(status: StatusData, inside: tuple[CheckData, ...]) -> tuple[CheckData, ...]:
    """Add what was found inside; the whole log is worth more than its echo on the console."""
    known = any(
        each.check == "install-log" and each.verdict is not Verdict.UNKNOWN for each in inside
    )
    outside = (each for each in status.checks if not (known and each.check == "install-script"))
    return (*outside, *inside)
