"""The install script's progress, from real lines: the script's own words and cloud-init's."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.vm.install_log import InstallState, read_install
from tests.support.programs import shell_program
from tests.support.project import ROOT

BOOT: Final = "[    9.1] cloud-init[501]: Cloud-init v. 25.1.4 running 'init-local' at Tue, 24 Nov"
END: Final = "[   95.3] cloud-init[1121]: Cloud-init v. 25.1.4 finished at Tue, 24 Nov 2026"
GAVE_UP: Final = (
    "2026-11-24 19:02:11,007 - cc_scripts_user.py[WARNING]: Failed to run module scripts-user "
    "(scripts in /var/lib/cloud/instance/scripts)"
)


def said(text: str, *, console: bool = True) -> str:
    """Return a line of the script, on the console or in the log."""
    return f"{'[   40.2] cloud-init[1121]: ' if console else ''}biomodal install: {text}"


FIRST: Final = said("step 1/5: updating package repositories")
SECOND: Final = said("step 2/5: installing system packages: ca-certificates curl gnupg")
FAILED: Final = said(
    "FAILED with status 100 at line 93, in step 2/5: installing system packages: c"
)
DONE: Final = said("all installations completed successfully")


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        ((), InstallState.UNSEEN),
        ((BOOT, END), InstallState.UNSEEN),
        ((BOOT, FIRST), InstallState.RUNNING),
        ((said("package installation completed"),), InstallState.RUNNING),
        ((FIRST, SECOND, FAILED, GAVE_UP, END), InstallState.FAILED),
        ((FIRST, DONE, END), InstallState.DONE),
        ((FIRST, SECOND, GAVE_UP, END), InstallState.STOPPED),
        ((GAVE_UP, END), InstallState.STOPPED),
        ((FIRST, SECOND, END), InstallState.STOPPED),
        ((FIRST, SECOND, BOOT), InstallState.STOPPED),
        ((FIRST, FAILED, END, FIRST, SECOND), InstallState.RUNNING),
        ((FIRST, FAILED, END, FIRST, DONE), InstallState.DONE),
        ((FIRST, DONE, END, BOOT, END), InstallState.DONE),
    ],
)
def test_states(lines: tuple[str, ...], state: InstallState) -> None:
    """The last run counts, wherever the log begins and whatever ended it."""
    assert read_install("\r\n".join(lines)).state is state


def test_where_it_failed() -> None:
    """The line of the script, the exit status, the step."""
    found = read_install(f"{FIRST}\n{SECOND}\n{FAILED}\n{GAVE_UP}\n{END}")
    step = "step 2/5: installing system packages"
    assert (found.line, found.status, found.step) == (93, 100, step)
    failed = "the install script failed with status 100 at line 93"
    assert found.sentence == f"{failed}, in {step}"


def test_colours_and_other_words() -> None:
    """Neither hides a line of the script, and neither is taken for one."""
    log = f"\x1b[0;32m{FIRST}\x1b[0m\nE: all installations completed successfully, said apt\n"
    assert read_install(log).state is InstallState.RUNNING


@pytest.mark.parametrize(
    ("broken", "state"), [(None, InstallState.DONE), ("docker.io", InstallState.FAILED)]
)
def test_what_the_script_really_prints(
    tmp_path: Path, broken: str | None, state: InstallState
) -> None:
    """The script itself, with stand-ins for what it calls: its words are those that are read."""
    programs = {
        "apt-get": f'case "$*" in *{broken or "nothing"}*) exit 100;; esac',
        **dict.fromkeys(("sudo", "systemctl", "usermod", "chmod", "sleep", "id"), ""),
        "env": 'shift; exec "$@"',
        "whoami": "echo root",
    }
    for name, text in programs.items():
        shell_program(tmp_path / name, text)
    script = ROOT / "scripts" / "install_script.sh"
    environment = {"PATH": f"{tmp_path}{os.pathsep}/usr/bin:/bin"}
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = subprocess.run(["/bin/bash", str(script)], env=environment, check=False, **streams)
    found = read_install(done.stdout)
    assert found.state is state, done.stdout
    if found.line:
        assert "docker.io" in script.read_text().splitlines()[found.line - 1]
        assert found.status == 100
