"""`status` as a whole: AWS's view, the machine's own, and waiting for both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from biomodal_deploy.aws.answer import Looked, Status
from biomodal_deploy.aws.answers import cannot_tell
from biomodal_deploy.aws.asking import clients_for
from biomodal_deploy.aws.preflight import Verdict
from biomodal_deploy.vm.access import check_key, has_ssh, ssh_way
from biomodal_deploy.vm.built import Built, read_built
from biomodal_deploy.vm.deep import look_inside
from biomodal_deploy.vm.status import look, look_until_ready
from biomodal_deploy.workflow.signals import Listener, Step
from biomodal_deploy.workflow.stack import Stack


@dataclass(frozen=True, kw_only=True)
class StatusRequest:
    """What a person asks `status` for.

    Attributes:
        deep: Look at the machine itself too.
        wait_s: Seconds to wait for it to become ready; None looks once.
        address: Another way to the VM's SSH server.
    """

    deep: bool = False
    wait_s: float | None = None
    address: str | None = None


def status_of(stack: Stack, request: StatusRequest, listen: Listener) -> Status:
    """Return how a deployment is.

    Args:
        stack: The deployment.
        request: What is asked for.
        listen: Told of what goes on.

    Raises:
        UsageError: Nothing is applied yet, or the key will not do.
        EngineError: Terraform cannot read the state.
        Interrupted: It was asked to stop.
    """
    built = read_built(stack, listen)
    clients = clients_for(built.region)
    inside = _inside(stack, built, request, listen) if request.deep else None

    def look_once() -> Status:
        status = look(built, clients)
        # A machine that is still starting would only say that it cannot be reached.
        if inside is None or _vm_is_away(status):
            return status
        listen(Step("Looking at the VM itself"))
        return _with(status, inside())

    listen(Step("Asking AWS"))
    if request.wait_s is None:
        return look_once()
    return look_until_ready(
        look_once, timeout_s=request.wait_s, on_wait=lambda text: listen(Step(text))
    )


def _inside(
    stack: Stack, built: Built, request: StatusRequest, listen: Listener
) -> Callable[[], tuple[Looked, ...]] | None:
    """Return what looks at the machine itself; None where there is none."""
    if built.vm is None:
        return None
    environment = stack.location.environment
    if not has_ssh(built):
        no_way = cannot_tell(
            "this deployment has no SSH key, so nobody can look inside",
            "look yourself: biomodal-aws connect --ssm; or set ssh_public_key and ssh_cidr_blocks",
        )
        return partial(tuple, [Looked("ssh", "SSH", no_way)])
    way = ssh_way(built, stack.location.plans / stack.name, environment, request.address)
    # Before anybody waits for minutes.
    check_key(way)
    return partial(look_inside, built, way, environment, listen)


def _vm_is_away(status: Status) -> bool:
    """Say whether the VM is starting or does not run; one with another address can be reached."""
    found = {each.part: each for each in status.looked}
    vm, checks = found["vm"], found["vm-status"]
    stopped = vm.answer.verdict is Verdict.FAIL and checks.answer.verdict is not Verdict.PASS
    return vm.under_way or checks.under_way or stopped


def _with(status: Status, inside: tuple[Looked, ...]) -> Status:
    """Add what was seen inside; the whole log is worth more than its echo on the console."""
    told = any(
        each.part == "install-log" and each.answer.verdict is not Verdict.CANNOT_TELL
        for each in inside
    )
    outside = (each for each in status.looked if not (told and each.part == "install-script"))
    return replace(status, looked=(*outside, *inside))
