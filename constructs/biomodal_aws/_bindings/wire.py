"""Node, started early, and the messages between Python and it: which of them are not waited for.

jsii starts one Node to relay messages to a second one, which runs the constructs. The relay wraps
what scripts print; here that goes straight to the terminal. Going without it saves 45 MB, a process
start, and two thirds of the time that each message takes.

jsii loads an assembly when Python imports its package, and waits for it. Nothing needs an assembly
before the first object is made, so here loads are not waited for: Node reads cdktf while Python
imports it. The bindings' own load is put off until a message names one of their types. By then
Python has imported the submodules, and it is known which ones to load.

A third of all other messages name an element or override a value of one. Nothing comes back from
them, and Python goes on while Node works on them.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import signal
import socket
import tempfile
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, BinaryIO, Final

from biomodal_aws._bindings.layout import ASSEMBLY, CORE, LayoutError

_LOAD: Final = b'"api": "load"'
# Neither is in a user's text, where quotes are escaped.
_BINDINGS_TYPE: Final = re.compile(rf'(?<!\\)"{ASSEMBLY}\.'.encode())
# cdktf's own methods. What they may find wrong (a reference to the element was given out before) is
# raised by the next message.
_RETURNS_NOTHING: Final = re.compile(
    rf'{{"objref": {{"\$jsii\.byref": "(?:{CORE}|{ASSEMBLY})\.[^{{}}]*}}, '
    r'"method": "(?:addOverride|overrideLogicalId)", '.encode()
)
_NOTHING: Final = b'{"ok":{"result":null}}\n'
# Far from what fills the pipe back, where Node would wait for us and we for Node.
_MOST_UNREAD: Final = 100

_ENDED: Final = "Node, which runs the constructs, has ended"

Pipes = tuple[BinaryIO, BinaryIO]


class Wire:
    """What jsii's Python runtime writes requests to, and reads replies from.

    Args:
        choose_archive: Returns what to load of the bindings, once it must be known.
        greeting: Whether Node's greeting is still to be read.
        restart: Starts Node once more where the first loads failed.
    """

    def __init__(
        self,
        pipes: Pipes,
        choose_archive: Callable[[], Path],
        *,
        greeting: bool = False,
        restart: Callable[[str], Pipes] | None = None,
    ) -> None:
        self._requests, self._replies = pipes
        self._choose_archive = choose_archive
        self._greeting = greeting
        self._restart = restart
        self._sent: list[bytes] = []
        self._unread = 0
        self._loading = greeting
        self._deferred: dict[str, Any] | None = None
        self._answers = deque[bytes]()

    def write(self, message: bytes) -> int:
        """Take a request; answer loads at once, whatever Node will say to them."""
        if _LOAD in message:
            request = json.loads(message)
            if request.get("api") == "load":
                self._take_load(request)
                return len(message)
        if self._deferred is not None and _BINDINGS_TYPE.search(message):
            self._send(self._deferred | {"tarball": str(self._choose_archive())})
            self._deferred = None
        if self._loading or self._unread > _MOST_UNREAD:
            self._settle()
        self._restart = None
        if _RETURNS_NOTHING.match(message):
            self._unread += 1
            self._answers.append(_NOTHING)
        with suppress(OSError):  # As in `_send`.
            self._requests.write(message)
        return len(message)

    def flush(self) -> None:
        """Send what was written."""
        with suppress(OSError):  # As in `_send`.
            self._requests.flush()

    def readline(self) -> bytes:
        """Return the reply to the request that was written last."""
        if self._answers:
            return self._answers.popleft()
        error = self._read_replies()
        reply = self._replies.readline()
        if not reply:
            error = _ENDED
        if error is not None:
            raise RuntimeError(error)
        return reply

    @property
    def closed(self) -> bool:
        """Whether the requests' pipe is closed."""
        return self._requests.closed

    def close(self) -> None:
        """Close the requests' pipe, and after it the replies'."""
        (self._replies if self._requests.closed else self._requests).close()

    def load(self, name: str, version: str, archive: Path) -> None:
        """Load an assembly now."""
        self._send({"api": "load", "name": name, "version": version, "tarball": str(archive)})
        self._settle()

    def _take_load(self, request: dict[str, Any]) -> None:
        if request["name"] == ASSEMBLY:
            self._deferred = request
        else:
            self._send(request)
        answer = {"ok": {"assembly": request["name"], "types": 0}}
        self._answers.append(json.dumps(answer).encode() + b"\n")

    def _send(self, request: dict[str, Any]) -> None:
        message = json.dumps(request).encode() + b"\n"
        self._sent.append(message)
        self._loading = True
        self._unread += 1
        with suppress(OSError):  # Where Node has ended, reading says so.
            self._requests.write(message)
            self._requests.flush()

    def _settle(self) -> None:
        """Read the replies that were not waited for."""
        self._loading = False
        error = self._read_replies()
        if error not in (None, _ENDED) and self._restart is not None:
            self._requests, self._replies = self._restart(error)
            self._restart, self._greeting = None, True
            self._unread = len(self._sent)
            self._requests.write(b"".join(self._sent))
            self._requests.flush()
            error = self._read_replies()
        if error is not None:
            raise RuntimeError(error)

    def _read_replies(self) -> str | None:
        if self._greeting:
            self._greeting = False
            if b"hello" not in self._replies.readline():
                return _ENDED
        errors = []
        while self._unread:
            self._unread -= 1
            reply = self._replies.readline()
            if not reply:
                return _ENDED
            error = json.loads(reply).get("error")
            if error is not None:
                errors.append(str(error))
        return errors[0] if errors else None


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
        own_cache: Whether to unpack assemblies into a folder of its own, and not into jsii's
            package cache.
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
