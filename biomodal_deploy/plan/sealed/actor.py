"""Who does something, and whether that process is still at it."""

from __future__ import annotations

import getpass
import os
import platform
from pathlib import Path

from pydantic import BaseModel

from biomodal_deploy.plan.sealed.facts import Line


class Actor(BaseModel, frozen=True, extra="forbid"):
    """A process of a person on a machine.

    Attributes:
        who: `user@host`.
        pid: The process.
        started: When the process started, as the system counts it: a number may be given again to
            another process, this pair is not.
    """

    who: Line
    pid: int
    started: Line = ""

    @classmethod
    def me(cls) -> Actor:
        """Return this process."""
        return cls(who=whoami(), pid=os.getpid(), started=_started(os.getpid()))

    def is_running(self) -> bool | None:
        """Whether the process still lives; None for one on another machine."""
        if self.who.rpartition("@")[2] != platform.node():
            return None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return _started(self.pid) == self.started


def whoami() -> str:
    """Return `user@host`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        user = str(os.getuid())
    name = f"{user}@{platform.node()}"
    return "".join(letter for letter in name if letter.isprintable())


def _started(pid: int) -> str:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return ""  # no /proc: the number alone must do
    # The name in brackets may hold spaces; field 22 counts from the start of the line.
    return f"{boot[:8]}-{status.rpartition(')')[2].split()[19]}"
