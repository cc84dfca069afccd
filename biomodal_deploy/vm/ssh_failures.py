"""Why SSH did not connect, from its own messages, in one line with how to fix it."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

from biomodal_deploy.aws.commands import START_VM, show_console
from biomodal_deploy.aws.errors import one_line
from biomodal_deploy.errors import EXIT_ENGINE, BiomodalError
from biomodal_deploy.vm.access import SessionTarget, SshTarget

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import InstanceTypeDef

# In this order: a changed host key is followed by words that other cases have too.
_REASONS: Final = (
    ("host_key_changed", ("REMOTE HOST IDENTIFICATION HAS CHANGED", "Host key verification fail")),
    ("denied", ("Permission denied (", "Too many authentication failures")),
    ("refused", ("Connection refused",)),
    (
        "unreachable",
        (
            "Connection timed out",
            "Operation timed out",
            "No route to host",
            "Network is unreachable",
            "Host is down",
            "timed out during banner exchange",
        ),
    ),
    ("unresolved", ("Could not resolve hostname",)),
    (
        "closed",
        (
            "Connection closed by",
            "Connection reset by",
            "kex_exchange_identification",
            "closed by remote host",
            "not responding",
        ),
    ),
)
# What ssh also says where all went well.
_HARMLESS: Final = re.compile(r"Warning: Permanently added .*|(Shared c|C)onnection to .* closed\.")


class NotConnected(BiomodalError):
    """No connection to the VM.

    Args:
        reason: A stable word: `host_key_changed`, `denied`, `refused`, `unreachable`,
            `unresolved`, `closed`, `vm_stopped`, `vm_gone` or `other`.
        message: What is wrong.
        fix: What to do.
    """

    exit_status = EXIT_ENGINE
    code = "not_connected"

    def __init__(self, reason: str, message: str, fix: str) -> None:
        self.reason, self.parts = reason, (message, fix)
        super().__init__(f"{message}. Fix: {fix}.")


def reason_in(log: str) -> str | None:
    """Return the stable word for what ssh complained of; None where it said nothing of the kind."""
    return next((word for word, marks in _REASONS if any(mark in log for mark in marks)), None)


def complaints_in(log: str) -> str:
    """Return what ssh said, less what it says where all went well."""
    lines = (line.strip() for line in log.splitlines())
    return "\n".join(line for line in lines if line and not _HARMLESS.fullmatch(line))


def needs_machine(reason: str | None) -> bool:
    """Say whether the VM's state may be the cause."""
    return reason in ("refused", "unreachable", "closed")


def not_running(target: SshTarget | SessionTarget, machine: InstanceTypeDef | None) -> NotConnected:
    """Return the error for a VM that does not run."""
    state = machine["State"]["Name"] if machine else ""
    if state in ("", "terminated", "shutting-down"):
        return NotConnected(
            "vm_gone",
            f"The VM {target.instance_id} is gone",
            "run biomodal-aws plan: it makes a new one",
        )
    return NotConnected(
        "vm_stopped",
        f"The VM {target.instance_id} is {state}",
        f"{START_VM}; then biomodal-aws status --wait",
    )


def not_connected(
    target: SshTarget, log: str, machine: InstanceTypeDef | None, *, asked: bool
) -> NotConnected:
    """Return the error for a connection that failed.

    Args:
        asked: Whether EC2 could be asked.
    """
    reason = reason_in(log)
    runs = machine is not None and machine["State"]["Name"] == "running"
    if asked and needs_machine(reason) and not runs:
        return not_running(target, machine)
    message, fix = _lines(target, reason)
    if message is None:
        complaints = complaints_in(log)
        said = one_line(complaints.splitlines()[-1]) if complaints else "no reason given"
        message = f"ssh could not connect to {target.address} port {target.port} ({said})"
    return NotConnected(reason or "other", message, fix)


def _lines(target: SshTarget, reason: str | None) -> tuple[str | None, str]:
    at = f"{target.address} port {target.port}"
    match reason:
        case "host_key_changed":
            forget = f"ssh-keygen -R {target.instance_id} -f {shlex.quote(str(target.known_hosts))}"
            return (
                (
                    f"The VM {target.instance_id} shows another host key than before: somebody may "
                    "be in between"
                ),
                (
                    f"compare with {show_console(target.instance_id, target.region)}; where it is "
                    f"the VM's own, forget the old one: {forget}"
                ),
            )
        case "denied":
            return (
                f"The VM refuses user {target.user} with the key {target.key}",
                (
                    "the user of Ubuntu's image is ubuntu (variable ssh_user), and the key is the "
                    "one that was there when the VM was made; or connect without it: "
                    "biomodal-aws connect --ssm"
                ),
            )
        case "refused":
            return (
                f"Nothing listens at {at}",
                "the VM may still be starting: biomodal-aws status --wait",
            )
        case "unreachable":
            return (
                f"No answer from {at}",
                (
                    "let your network reach port 22 (ssh_cidr_blocks of a hardened stack), "
                    "or go another way: biomodal-aws connect --ssm, or --address HOST"
                ),
            )
        case "unresolved":
            return f"no such host: {target.address}", "correct --address"
        case "closed":
            return (
                f"The connection to {at} was closed",
                "the VM may be starting or going down: biomodal-aws status",
            )
    return None, "look with biomodal-aws status"
