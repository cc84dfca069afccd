"""The idle stop's script in a real shell, with stand-ins for what it asks and shuts down."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support.programs import shell_program
from tests.support.project import ROOT

SCRIPT: Final = (ROOT / "biomodal_deploy" / "vm" / "idle_stop.sh").read_text()


@dataclass
class Machine:
    """A VM's files, and the programs that the script calls."""

    folder: Path

    def __post_init__(self) -> None:
        """Make its folders; nothing runs there."""
        for name in ("bin", "usr/local/sbin", "etc/systemd/system"):
            (self.folder / name).mkdir(parents=True)
        self.program("systemctl", 'echo "$@" >>"$ROOT/systemctl"')
        self.program("shutdown", 'echo "$@" >"$ROOT/shutdown"')
        self.program("pgrep", "exit 1")
        self.program("docker", "exit 0")

    def program(self, name: str, text: str) -> None:
        """Put a program first on its PATH."""
        shell_program(self.folder / "bin" / name, text)

    @property
    def stamp(self) -> Path:
        """What says when there was work last."""
        return self.folder / "stamp"

    def files(self) -> set[str]:
        """Return what the switch has put there."""
        return {
            each.name
            for name in ("usr/local/sbin", "etc/systemd/system")
            for each in (self.folder / name).iterdir()
        }

    def switch(self, minutes: int) -> None:
        """Run the switch as SSH does."""
        self._run("sh", "-c", SCRIPT, "idle_stop", str(minutes))

    def look(self, *, idle_minutes: float | None = None) -> bool:
        """Let the timer look once, so long after the last work; return whether it shut down."""
        if idle_minutes is not None:
            self.stamp.touch()
            then = self.stamp.stat().st_mtime - idle_minutes * 60
            os.utime(self.stamp, (then, then))
        self._run(str(self.folder / "usr/local/sbin/biomodal-idle-stop"), "60")
        return (self.folder / "shutdown").exists()

    def _run(self, *words: str) -> None:
        environment = {
            "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin",
            "ROOT": str(self.folder),
            "STAMP": str(self.stamp),
        }
        subprocess.run(words, env=environment, check=True, capture_output=True)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A VM whose idle stop is on."""
    found = Machine(tmp_path / "vm")
    found.switch(60)
    return found


def test_on_and_off(machine: Machine) -> None:
    """Three files and a timer that is enabled; off takes all away, and twice is no error."""
    name = "biomodal-idle-stop"
    assert machine.files() == {name, f"{name}.service", f"{name}.timer"}
    service = (machine.folder / f"etc/systemd/system/{name}.service").read_text()
    assert f"ExecStart=/usr/local/sbin/{name} 60\n" in service
    calls = machine.folder / "systemctl"
    assert calls.read_text().endswith(f"enable --now {name}.timer\n")
    for _ in range(2):
        machine.switch(0)
        assert machine.files() == set()
    assert calls.read_text().count(f"disable --now {name}.timer\n") == 1


def test_an_idle_vm_is_shut_down_in_time(machine: Machine) -> None:
    """Not before the minutes are over."""
    assert not machine.look(idle_minutes=59)
    assert machine.look(idle_minutes=62)
    assert (machine.folder / "shutdown").read_text() == "-h now\n"


def test_a_boot_counts_as_work(machine: Machine) -> None:
    """The stamp is gone then, and nobody had the time to begin anything."""
    assert not machine.look()
    assert machine.stamp.exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [("pgrep", "echo 42"), ("pgrep", "exit 3"), ("docker", "echo 0a1b2c"), ("docker", "exit 1")],
)
def test_work_and_what_cannot_be_looked_at(machine: Machine, name: str, text: str) -> None:
    """Nextflow, a login, a container, or no answer: the VM stays, and the time begins again."""
    machine.program(name, text)
    assert not machine.look(idle_minutes=600)
    machine.program("pgrep", "exit 1")
    machine.program("docker", "exit 0")
    assert not machine.look()


def test_what_counts_as_work(machine: Machine) -> None:
    """The real pgrep, on real processes of these names; its own shell is none of them."""
    machine.program("pgrep", f'exec /usr/bin/pgrep -P {os.getpid()} "$@"')
    for name in ("java -cp x nextflow.cli.Launcher", "sshd: ubuntu@pts/0", "ssm-session-worker x"):
        words = ["bash", "-c", f"exec -a '{name}' sleep 60"]
        with subprocess.Popen(words) as process:
            try:
                while name.encode() not in Path(f"/proc/{process.pid}/cmdline").read_bytes():
                    pass
                assert not machine.look(idle_minutes=600), name
            finally:
                process.kill()
    assert machine.look(idle_minutes=600)
