"""How the VM's install script went, from what it printed.

The lines are the script's own (`scripts/install_script.sh`), in /var/log/cloud-init-output.log as
they are, on the EC2 console behind a time and `cloud-init[PID]:`. cloud-init adds how it ended.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from biomodal_deploy.engine.terraform.events import plain

_SAID: Final = re.compile(r"biomodal install: (.*)")
_FAILED: Final = re.compile(r"FAILED with status (\d+) at line (\d+), in (.*)")
_STEP: Final = re.compile(r"(step \d+/\d+: [^:]*)")
_DONE: Final = "all installations completed successfully"
# cloud-init's own words: it starts (once a boot), a user's script failed, it has finished.
_BOOT: Final = re.compile(r"Cloud-init v\. \S+ running 'init-local'")
_SCRIPT_FAILED: Final = "Failed to run module scripts-user"
_FINISHED: Final = re.compile(r"Cloud-init v\. \S+ finished at ")


class InstallState(StrEnum):
    """How far the install script has come."""

    UNSEEN = "unseen"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Install:
    """How the script's last run went.

    Attributes:
        state: How far it has come.
        step: The step that was begun last, in the script's words.
        line: The line of the script that failed, counted from 1.
        status: The exit status of what failed.
        boot_ended: Whether cloud-init has said that the boot is over.
    """

    state: InstallState = InstallState.UNSEEN
    step: str | None = None
    line: int | None = None
    status: int | None = None
    boot_ended: bool = False

    @property
    def sentence(self) -> str:
        """It in words."""
        at = f" at {self.step}" if self.step else ""
        where = f"line {self.line}, in {self.step}" if self.step else f"line {self.line}"
        return {
            InstallState.UNSEEN: "the install script has said nothing",
            InstallState.RUNNING: f"the install script is{at}",
            InstallState.DONE: "the install script has completed",
            InstallState.FAILED: f"the install script failed with status {self.status} at {where}",
            InstallState.STOPPED: f"the install script stopped{at} without a word of its own",
        }[self.state]


def read_install(log: str) -> Install:
    """Read a log, which may begin anywhere and hold several runs; the last one counts.

    Args:
        log: The console's output, or cloud-init-output.log.
    """
    found = Install()
    for line in log.splitlines():
        found = _after(found, plain(line).rstrip())
    return found


def _after(before: Install, line: str) -> Install:
    if said := _SAID.search(line):
        return _said(before, said[1])
    running = before.state is InstallState.RUNNING
    if _SCRIPT_FAILED in line:
        # Killed, or not even started: it had no chance to say at which line.
        unsaid = running or before.state is InstallState.UNSEEN
        return Install(InstallState.STOPPED, before.step) if unsaid else before
    if _BOOT.search(line):
        # The script runs on the first boot only: a boot that ends it leaves it half done.
        state = InstallState.STOPPED if running else before.state
        return Install(state, before.step, before.line, before.status)
    if _FINISHED.search(line):
        state = InstallState.STOPPED if running else before.state
        return Install(state, before.step, before.line, before.status, boot_ended=True)
    return before


def _said(before: Install, said: str) -> Install:
    if failed := _FAILED.search(said):
        step = _STEP.match(failed[3])
        return Install(
            InstallState.FAILED,
            step[1] if step else failed[3],
            line=int(failed[2]),
            status=int(failed[1]),
        )
    if _DONE in said:
        return Install(InstallState.DONE)
    if step := _STEP.match(said):
        return Install(InstallState.RUNNING, step[1])
    # A run by hand after a failed one begins with step 1; other words belong to a run under way.
    if before.state is InstallState.UNSEEN:
        return Install(InstallState.RUNNING)
    return before
