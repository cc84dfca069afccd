"""Node, started early and without the relay process in front of it.

jsii starts one Node to relay messages to a second one, which runs the constructs. The relay wraps
what scripts print; here that goes straight to the terminal. Going without it saves 45 MB, a process
start, and two thirds of the time that each message takes.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import socket
import tempfile
from contextlib import suppress
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final

from biomodal_aws._bindings.layout import LayoutError
from biomodal_aws._bindings.wire import Pipes

_KERNEL: Final = "lib__program.js"
_SCRIPTS: Final = {_KERNEL: "program.js", "lib__runtime-index-worker.js": "runtime-index-worker.js"}
# What the kernel says about its channel, in every jsii that is known to work this way.
_CHANNEL: Final = b"readFD:3"
# jsii's own options: assemblies are linked into place, so links are not to be resolved. And in MB,
# where new objects go: it starts with 1, and what a synthesis makes stays, so each of the many
# collections would copy it.
_OPTIONS: Final = (
    "--max-old-space-size=4069",
    "--preserve-symlinks",
    "--min-semi-space-size=8",
)
_STARTER: Final = str(Path(__file__).with_name("kernel.js"))
_GRACE_S: Final = 5.0


class Node:
    """A running jsii kernel.

    Args:
        executable: The Node to run it.
        own_cache: Whether to unpack assemblies into a folder of its own, and not into jsii's
            package cache.

    Attributes:
        pipes: Where it reads requests and writes replies.

    Raises:
        LayoutError: jsii is not built as expected.
        OSError: Node cannot be started.
    """

    def __init__(self, executable: str, *, own_cache: bool = False) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="biomodal-aws-"))
        self._owner = os.getpid()
        try:
            kernel = _unpack(self._folder)
            environment = {**os.environ, "JSII_AGENT": f"Python/{platform.python_version()}"}
            # The kernel's own temporary folder then goes with ours, also where Node is killed.
            environment["TMPDIR"] = str(self._folder)
            if own_cache:
                environment["JSII_RUNTIME_PACKAGE_CACHE_ROOT"] = str(self._folder / "packages")
            self._channel, theirs = socket.socketpair()
            with theirs:
                self._pid = os.posix_spawn(
                    executable,
                    [executable, *_OPTIONS, _STARTER, kernel],
                    environment,
                    file_actions=[
                        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                        (os.POSIX_SPAWN_DUP2, theirs.fileno(), 3),
                    ],
                    setsigdef=[signal.SIGPIPE],
                )
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        self.pipes: Pipes = (self._channel.makefile("wb"), self._channel.makefile("rb"))
        self._running = True

    def stop(self) -> None:
        """Ask Node to end, and wait until it has. Does nothing where it has ended."""
        if not self._running or os.getpid() != self._owner:
            return
        self._running, ended = False, False
        try:
            with suppress(OSError, ValueError):
                self._channel.settimeout(_GRACE_S)
                self._channel.sendall(b'{"exit":0}\n')
                self._channel.shutdown(socket.SHUT_WR)
                while self._channel.recv(65536):
                    pass
                ended = True
        finally:
            # Also on a second Ctrl-C: no process is left behind.
            with suppress(ProcessLookupError, ChildProcessError):
                if not ended:
                    os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)
            self._channel.close()
            shutil.rmtree(self._folder, ignore_errors=True)


def _unpack(folder: Path) -> str:
    """Write the kernel's scripts under the names that it knows itself by, and return its path."""
    spec = PathFinder.find_spec("jsii")
    if spec is None or not spec.submodule_search_locations:
        raise LayoutError("jsii is not installed")
    embedded = Path(next(iter(spec.submodule_search_locations)), "_embedded", "jsii")
    for packed, name in _SCRIPTS.items():
        with suppress(FileNotFoundError):  # Earlier versions of jsii need no worker.
            content = (embedded / packed).read_bytes()
            if packed == _KERNEL and _CHANNEL not in content:
                raise LayoutError("jsii's kernel reads from another channel")
            (folder / name).write_bytes(content)
    kernel = folder / _SCRIPTS[_KERNEL]
    if not kernel.exists():
        raise LayoutError("jsii has no kernel of the expected name")
    return str(kernel)
