"""`sandbox run -- COMMAND`: the command's environment, its signals and its exit status."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from biomodal_deploy.errors import UsageError
from biomodal_deploy.sandbox.run import run_in_sandbox

RUNNER = """
import sys
from pathlib import Path
from biomodal_deploy.sandbox.run import run_in_sandbox
sys.exit(run_in_sandbox(sys.argv[2:], directory=Path(sys.argv[1])))
"""
# Says that it is there, then counts interrupts, and ends at SIGTERM or the second interrupt.
PATIENT = """
import os, signal, sys, time
asked = []
signal.signal(signal.SIGINT, lambda *_: asked.append(1))
signal.signal(signal.SIGTERM, lambda *_: sys.exit(33))
print("ready", os.environ["SANDBOX_PROJECT"], os.getpid(), flush=True)
while not asked:
    time.sleep(0.02)
time.sleep(0.5)
sys.exit(40 + len(asked))
"""


def python(code: str) -> list[str]:
    """Return a command that runs Python code."""
    return [sys.executable, "-c", code]


@pytest.mark.engine
def test_the_command_gets_the_account_and_its_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Environment, TF_VAR_, SANDBOX_TFVARS and {tfvars}, in a copy of the caller's folder."""
    monkeypatch.setenv("AWS_PROFILE", "prod")
    code = (
        "import json, os, sys; from pathlib import Path;"
        "Path('seen.json').write_text(json.dumps([dict(os.environ), sys.argv[1],"
        " Path(os.environ['SANDBOX_TFVARS']).read_text()]))"
    )
    project, kept = tmp_path / "project", tmp_path / "kept"
    project.mkdir()
    (project / "terraform.tfvars").write_text("mine = 1\n")
    said: list[str] = []
    command = [*python(code), "-var-file={tfvars}"]
    assert run_in_sandbox(command, directory=project, keep=kept, on_message=said.append) == 0
    assert [path.name for path in project.iterdir()] == ["terraform.tfvars"]
    variables, argument, tfvars = json.loads((kept / "seen.json").read_text())
    assert "AWS_PROFILE" not in variables
    assert variables["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert variables["AWS_ENDPOINT_URL"] in said[0]
    assert variables["PATH"] == os.environ["PATH"]
    assert argument == f"-var-file={variables['SANDBOX_TFVARS']}"
    for name in ("region", "vpc_id", "subnet_id", "vm_name", "ssh_public_key"):
        assert f'"{variables[f"TF_VAR_{name}"]}"\n' in tfvars
    assert not Path(variables["SANDBOX_TFVARS"]).exists()
    assert (kept / "terraform.tfvars").read_text() == "mine = 1\n"
    assert kept.stat().st_mode & 0o077 == 0


@pytest.mark.engine
@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("raise SystemExit(7)", 7),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137),
    ],
)
def test_the_commands_exit_status_is_ours(tmp_path: Path, code: str, status: int) -> None:
    """A status comes through, and a signal as 128 and its number."""
    assert run_in_sandbox(python(code), directory=tmp_path) == status


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ([], "COMMAND: A command to run is needed. Fix: biomodal-aws sandbox run -- "),
        ([""], "COMMAND: A command to run is needed. Fix: biomodal-aws sandbox run -- "),
        (["terafrom"], 'COMMAND = "terafrom": no such program'),
        (["./missing.sh"], 'COMMAND = "./missing.sh": no such program'),
        (["./plain.txt"], 'COMMAND = "./plain.txt": no such program, or not exe'),
    ],
)
def test_a_wrong_command_is_refused_before_anything_starts(
    tmp_path: Path, command: list[str], said: str
) -> None:
    """One line that names the command, and no server for it."""
    (tmp_path / "plain.txt").write_text("no program\n")
    # Other tests of this process may have children of their own, such as cdktf's Node.
    before = psutil.Process().children()
    with pytest.raises(UsageError) as raised:
        run_in_sandbox(command, directory=tmp_path)
    assert str(raised.value).startswith(said)
    assert psutil.Process().children() == before


def test_a_missing_directory_is_refused(tmp_path: Path) -> None:
    """A folder that is not there is named, and not the program."""
    with pytest.raises(UsageError, match="missing"):
        run_in_sandbox(["true"], directory=tmp_path / "missing")


class Runner:
    """A process that runs a patient command in a sandbox, ready for signals."""

    def __init__(self, directory: Path, terminal: int | None = None) -> None:
        command = [*python(RUNNER), str(directory), *python(PATIENT)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL if terminal is None else terminal,
            stdout=subprocess.PIPE,
            text=True,
            # With a terminal: the session's leader takes it as its controlling one.
            preexec_fn=None if terminal is None else lambda: _take(terminal),
            start_new_session=True,
        )
        assert self.process.stdout
        _, scratch, pid = self.process.stdout.readline().split()
        self.scratch = Path(scratch)
        assert self.scratch.is_dir()
        self.command = psutil.Process(int(pid))
        self.servers = [
            child
            for child in psutil.Process(self.process.pid).children(recursive=True)
            if child.pid != self.command.pid
        ]

    def ended(self) -> int:
        """Return its exit status; nothing that it started is left."""
        status = self.process.wait(60)
        assert self.process.stdout
        self.process.stdout.close()
        _, alive = psutil.wait_procs([self.command, *self.servers], timeout=30)
        assert alive == []
        assert not self.scratch.parents[1].exists()
        return status


def _take(terminal: int) -> None:
    import fcntl
    import termios

    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


@pytest.mark.engine
@pytest.mark.parametrize(("signum", "status"), [(signal.SIGTERM, 33), (signal.SIGINT, 41)])
def test_a_signal_is_passed_on_once(tmp_path: Path, signum: int, status: int) -> None:
    """A CI runner's, to us alone: the command decides how to end, and then the server goes."""
    runner = Runner(tmp_path)
    runner.process.send_signal(signum)
    assert runner.ended() == status


@pytest.mark.engine
def test_ctrl_c_at_a_terminal_arrives(tmp_path: Path) -> None:
    """A real terminal interrupts us and the command."""
    ours, theirs = pty.openpty()
    try:
        runner = Runner(tmp_path, terminal=theirs)
        os.write(ours, b"\x03")
        assert runner.ended() == 41
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.engine
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child")
def test_a_killed_wrapper_takes_its_command_and_its_server_along(tmp_path: Path) -> None:
    """After SIGKILL the command is interrupted and the server ends."""
    runner = Runner(tmp_path)
    runner.process.kill()
    assert runner.ended() == -signal.SIGKILL


@pytest.mark.engine
def test_a_terminated_start_leaves_nothing(tmp_path: Path) -> None:
    """SIGTERM while the server still loads: no command ran, no server stays."""
    process = subprocess.Popen([*python(RUNNER), str(tmp_path), "touch", "ran"])
    children: list[psutil.Process] = []
    while not children:
        children = psutil.Process(process.pid).children()
        time.sleep(0.01)
    process.terminate()
    assert process.wait(60) == -signal.SIGTERM
    with suppress(psutil.NoSuchProcess):
        children[0].wait(30)
    assert not children[0].is_running()
    assert not (tmp_path / "ran").exists()
