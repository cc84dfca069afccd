"""The server's life is bound to its parent's, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from biomodal_deploy.sandbox import Sandbox

pytestmark = pytest.mark.engine

OWNER = """
import os, sys, time
from pathlib import Path
from biomodal_deploy.sandbox import Sandbox
with Sandbox.start(Path(sys.argv[1])) as sandbox:
    print(sandbox.pid, sandbox.endpoint, flush=True)
    {then}
"""
Owner = Callable[[str], tuple["subprocess.Popen[str]", psutil.Process]]


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    """Starts a process that owns a sandbox, and gives it and the server."""
    started: list[subprocess.Popen[str]] = []

    def start(then: str) -> tuple[subprocess.Popen[str], psutil.Process]:
        process = subprocess.Popen(
            [sys.executable, "-c", OWNER.format(then=then), str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout
        return process, psutil.Process(int(process.stdout.readline().split()[0]))

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout:
            process.stdout.close()


def gone(server: psutil.Process, directory: Path) -> bool:
    """Say whether the server ended within five seconds and left no file."""
    with suppress(psutil.NoSuchProcess):
        server.wait(5)
    deadline = time.monotonic() + 5
    while list(directory.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not server.is_running() and not list(directory.iterdir())


@pytest.mark.parametrize("then", ["pass", "raise RuntimeError", "sys.exit(3)", "os._exit(4)"])
def test_it_ends_when_its_owner_ends(owner: Owner, tmp_path: Path, then: str) -> None:
    """The end of the block, an exception, an exit and an exit without goodbye."""
    process, server = owner(then)
    process.wait(10)
    assert gone(server, tmp_path)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_it_ends_when_its_owner_is_killed(
    owner: Owner, tmp_path: Path, signum: signal.Signals
) -> None:
    """Whatever kills the owner, SIGKILL included, leaves no server and no folder."""
    process, server = owner("time.sleep(60)")
    process.send_signal(signum)
    process.wait(10)
    assert gone(server, tmp_path)


def test_ctrl_c_reaches_the_owner_and_not_the_server(owner: Owner, tmp_path: Path) -> None:
    """The terminal interrupts the foreground group: Terraform still has an account to finish in."""
    process, server = owner(
        "import signal; signal.signal(signal.SIGINT, lambda *_: print('asked', flush=True));"
        " print('armed', flush=True); time.sleep(60)"
    )
    assert process.stdout
    assert process.stdout.readline() == "armed\n"
    assert os.getsid(server.pid) == server.pid, "Ctrl-Z and a hang-up would reach it too"
    os.killpg(process.pid, signal.SIGINT)
    assert process.stdout.readline() == "asked\n"
    server.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert server.is_running()
    process.kill()
    process.wait(10)
    assert gone(server, tmp_path)


def test_it_ends_when_its_owner_is_killed_before_it_is_ready(tmp_path: Path) -> None:
    """A server that is still loading when its owner dies does not stay either."""
    code = OWNER.format(then="pass")
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    children: list[psutil.Process] = []
    while not children:
        children = psutil.Process(process.pid).children()
    process.kill()
    process.wait()
    assert gone(children[0], tmp_path)


def test_a_server_that_ends_by_itself_is_reaped() -> None:
    """Stopping a sandbox whose server was killed works, twice, and leaves no zombie."""
    sandbox = Sandbox.start()
    os.kill(sandbox.pid, signal.SIGKILL)
    sandbox.stop()
    sandbox.stop()
    assert not psutil.pid_exists(sandbox.pid)
    assert not sandbox.directory.exists()


def test_what_the_owner_starts_does_not_keep_it_alive(owner: Owner, tmp_path: Path) -> None:
    """A child of the owner that outlives it does not hold the server's pipe open."""
    process, server = owner(
        "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True);"
        " time.sleep(60)"
    )
    assert process.stdout
    survivor = psutil.Process(int(process.stdout.readline()))
    process.kill()
    process.wait(10)
    assert gone(server, tmp_path)
    assert survivor.is_running()
    survivor.kill()
