"""Machines that say no: full disks and folders that cannot be written."""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

_DROP_CAPABILITY: Final = 24  # prctl(2), PR_CAPBSET_DROP
_OVERRIDE_MODES: Final = 1  # capabilities(7), CAP_DAC_OVERRIDE


def obeying_modes() -> Callable[[], None] | None:
    """Return what a child has to call before it starts so that file modes bind it.

    Root may write anywhere whatever the mode says, until it has dropped that capability.
    """
    if os.geteuid() != 0:
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def drop() -> None:
        if libc.prctl(_DROP_CAPABILITY, _OVERRIDE_MODES, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")

    return drop


def on_small_disk(folder: Path, command: Sequence[str], *, size: str) -> list[str]:
    """Return the command that runs another with a folder on a disk of its own.

    The mount is seen by that command only and goes with it.
    """
    mount = f"mount -t tmpfs -o size={size} tmpfs {shlex.quote(str(folder))}"
    return ["unshare", "-rm", "sh", "-c", f"{mount} && exec {shlex.join(command)}"]


def small_disks_work(folder: Path) -> bool:
    """Whether this machine lets its users mount a disk for themselves."""
    if sys.platform != "linux" or not shutil.which("unshare"):
        return False
    command = on_small_disk(folder, ["true"], size="64k")
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
