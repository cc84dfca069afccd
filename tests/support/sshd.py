"""A VM to log in to: OpenSSH's server on loopback, with its own keys, port and programs."""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

LOG: Final = "/var/log/cloud-init-output.log"
_PROGRAMS: Final = {
    "java": "echo 'openjdk version \"21.0.8\" 2025-07-15' >&2",
    "docker": 'case "$1" in login) cat >/dev/null; echo "$@" >"$VM/login";; esac; echo "Docker 28"',
    "systemctl": "echo active",
    "id": "echo ubuntu adm docker",
    "cloud-init": "echo 'status: done'",
}


@dataclass
class Vm:
    """The stand-in for a VM."""

    folder: Path  # its files; `bin` is first on its PATH, `log` stands for cloud-init's log
    port: int  # where its SSH server listens
    key: Path  # the private key that it takes
    user: str  # the user who may log in

    @property
    def address(self) -> str:
        """Where it listens, as --address takes it."""
        return f"127.0.0.1:{self.port}"

    def program(self, name: str, text: str) -> None:
        """Put a program on the VM's PATH."""
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/bash\nVM={self.folder}\n{text}\n")
        path.chmod(0o755)

    def log(self, text: str) -> None:
        """Say what cloud-init has logged."""
        (self.folder / "log").write_text(text)


def _make_key(path: Path) -> None:
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running_vm(folder: Path, *, environment: dict[str, str]) -> Iterator[Vm]:
    """Start the server, or skip the test where there is none."""
    program = shutil.which("sshd", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    if program is None:
        pytest.skip("no sshd on this machine (apt-get install openssh-server)")
    if os.geteuid() == 0:
        # Where it separates privileges; Debian's service makes it at its start.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    (folder / "bin").mkdir()
    for name in ("host_key", "user_key"):
        _make_key(folder / name)
    vm = Vm(folder, _free_port(), folder / "user_key", pwd.getpwuid(os.geteuid()).pw_name)
    for name, text in _PROGRAMS.items():
        vm.program(name, text)
    # The same program, but for the place of the log, which is not ours to write.
    moved = f"sys.argv[3].replace({LOG!r}, {str(folder / 'log')!r})"
    code = (
        f"import os, sys; os.execv(sys.executable, ['python3', '-I', '-c', {moved}, sys.argv[4]])"
    )
    vm.program("python3", shlex.join([sys.executable, "-c", code]) + ' "$@"')
    vm.log("biomodal install: all installations completed successfully\n")
    # The user's own start-up files set PATH too, and come first.
    shown = {**environment, "PATH": f"{folder / 'bin'}:/usr/bin:/bin"}
    words = shlex.join(["env", *(f"{name}={value}" for name, value in shown.items()), "sh", "-c"])
    (folder / "session").write_text(f'#!/bin/sh\nexec {words} "$SSH_ORIGINAL_COMMAND"\n')
    (folder / "session").chmod(0o755)
    config = folder / "sshd_config"
    config.write_text(
        f"ListenAddress 127.0.0.1:{vm.port}\nHostKey {folder / 'host_key'}\n"
        f"AuthorizedKeysFile {folder / 'user_key.pub'}\nPidFile none\nUsePAM no\n"
        "StrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        "PermitRootLogin prohibit-password\n"
        f"ForceCommand {folder / 'session'}\n"
    )
    with (folder / "sshd.log").open("w") as said:
        server = subprocess.Popen([program, "-D", "-e", "-f", str(config)], stderr=said)
    try:
        _wait_for(vm.port, server)
        yield vm
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the SSH server does not start")
