"""Checks of the orchestrator VM: whether it runs, is healthy, and has everything installed."""

from __future__ import annotations

from typing import Final

from biomodal_deploy.aws.checks import Finding, Unavailable, failed, not_yet, passed, unknown
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.commands import START_VM, show_console
from biomodal_deploy.aws.machines import Machine, console_of, describe_machine
from biomodal_deploy.vm.built import Built
from biomodal_deploy.vm.install_log import InstallState, read_install

_CHANGING: Final = frozenset({"pending", "stopping"})
_OVER: Final = frozenset({"shutting-down", "terminated"})
# EC2 gives its first console output some minutes after the start; the script takes about as long.
_SILENT_MINUTES: Final = 15
_DEEP: Final = "check on the VM itself: biomodal-aws status --deep"
_RERUN: Final = (
    "fix the cause (biomodal-aws connect -- sudo tail -n 50 /var/log/cloud-init-output.log), then "
    "run it again: biomodal-aws connect -- sudo bash /var/lib/cloud/instance/scripts/part-001"
)

_PLAN: Final = "run biomodal-aws plan: it creates what is missing"


def not_built(what: str) -> Finding:
    """Return the finding for what the state does not hold."""
    return failed(f"the state holds no {what}: an apply was not completed", _PLAN)


def gone(what: str) -> Finding:
    """Return the finding for what the state holds and AWS does not have."""
    return failed(f"{what} is gone, though the state holds it", _PLAN)


def machine(built: Built, clients: Clients) -> Finding:
    """Whether the VM runs, at the address that the outputs name."""
    if built.vm is None:
        return not_built("VM")
    name, found = built.vm.id, describe_machine(clients, built.vm.id)
    if found is None or found.state in _OVER:
        return gone(f"the VM {name}")
    if found.state in _CHANGING:
        return not_yet(f"{name} is {found.state}")
    if found.state != "running":
        return failed(f"{name} is {found.state}", START_VM)
    promised = built.outputs.get("public_ip")
    if promised and found.public_ip != promised:
        return failed(
            f"{name} runs, but has the address {found.public_ip or 'none'} and not {promised}",
            "run biomodal-aws plan: it restores the address",
        )
    return passed(f"{name} ({built.vm.instance_type}) runs at {found.public_ip or 'no address'}")


def status_checks(built: Built, clients: Clients) -> Finding:
    """Whether EC2's two status checks pass: the host below the VM, and the VM itself."""
    name = _running(built, clients)[0]
    said = clients.ec2().describe_instance_status(InstanceIds=[name])["InstanceStatuses"]
    if not said:
        return not_yet("EC2 has not checked it yet")
    checks = {
        "system": said[0].get("SystemStatus", {}).get("Status", "unknown"),
        "instance": said[0].get("InstanceStatus", {}).get("Status", "unknown"),
    }
    words = ", ".join(f"{check} {status}" for check, status in checks.items())
    if set(checks.values()) == {"ok"}:
        return passed(words)
    if "impaired" in checks.values():
        return failed(words, show_console(name, built.region))
    if set(checks.values()) <= {"ok", "initializing"}:
        return not_yet(words)
    return unknown(words, "run it again in a minute")


def install_script(built: Built, clients: Clients) -> Finding:
    """How the install script went, from the console: no connection to the VM is needed."""
    name, vm = _running(built, clients)
    return install_answer(
        console_of(clients, name),
        fresh=vm.minutes_up < _SILENT_MINUTES,
        where="the console",
        otherwise=_DEEP,
    )


def install_answer(log: str, *, fresh: bool, where: str, otherwise: str) -> Finding:
    """Return what a log of the install script shows.

    Args:
        fresh: Whether the VM was started so lately that the script may just have begun.
        where: What the log is, for people.
        otherwise: How to learn more where the log does not say.
    """
    install = read_install(log)
    if install.state is InstallState.DONE:
        return passed(install.sentence)
    if install.state in (InstallState.FAILED, InstallState.STOPPED):
        return failed(install.sentence, _RERUN)
    if install.state is InstallState.RUNNING:
        return not_yet(install.sentence)
    if fresh and not install.boot_ended:
        return not_yet(f"nothing on {where} yet: the VM has just started")
    # After a restart the console has the last boot only, and the script ran on the first.
    return unknown(f"{where} does not show the install script", otherwise)


def _running(built: Built, clients: Clients) -> tuple[str, Machine]:
    if built.vm is None:
        raise Unavailable("there is no VM")
    found = describe_machine(clients, built.vm.id)
    if found is None or found.state != "running":
        raise Unavailable("the VM does not run")
    return built.vm.id, found
