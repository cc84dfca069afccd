"""Watch one child: drain it, stop it step by step, reap it.

One loop in the calling thread reads both pipes, so that a full one never holds up the other, and
memory holds no more than a chunk of each: a slow reader slows the child down. Threads would add
locks and an order that changes, and nothing that a selector does not do.
"""

from __future__ import annotations

import fcntl
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Final, Literal, TypeAlias, TypeVar

from biomodal_deploy.engine.process.stop_requests import read_stop_requests, stop_signals
from biomodal_deploy.files import fix_for

Step: TypeAlias = Literal["interrupt", "terminate", "kill"]
Feed: TypeAlias = Callable[[bytes], None]

GRACEFUL: Final[tuple[Step, ...]] = ("interrupt", "terminate", "kill")
# For calls that only read: Terraform's do not listen to an interrupt, and have nothing to lose.
KILL: Final[tuple[Step, ...]] = ("kill",)
# For commands of our own, which have such a sequence themselves and have children to stop: each
# request is handed on, and none of them is killed before its Terraform has ended.
FORWARD: Final[tuple[Step, ...]] = ("interrupt", "terminate")

_T = TypeVar("_T")
_SIGNALS: Final = {"interrupt": signal.SIGINT, "terminate": signal.SIGTERM}
_CHUNK: Final = 1 << 16
_PIPE: Final = 1 << 20
_TICK: Final = 1.0
# `timeout` signals its child and then the child's whole group, a terminal hangs up once for the
# kernel and once for the shell, a held key repeats: so soon, it is the same request.
_SAME_REQUEST: Final = 1.0


@dataclass(frozen=True, slots=True)
class InterruptSent:
    """The child was asked to stop and is waited for; sent at each step and each second after."""

    step: Step
    seconds_waited: float


@dataclass(frozen=True)
class Ended:
    """How a child ended.

    Attributes:
        returncode: Its exit status; negative: the signal that ended it.
        steps: What was done to stop it.
        error: What a callback raised; the caller raises it on, once it has tidied up.
    """

    returncode: int
    steps: tuple[Step, ...] = ()
    error: BaseException | None = None


class NotStarted(Exception):
    """The program cannot be started; `fix` says what helps where a limit of the system is met."""

    def __init__(self, line: str, fix: str | None = None) -> None:
        super().__init__(line)
        self.fix = fix


@dataclass(frozen=True)
class Child:
    """What to start: arguments, working directory, whole environment, descriptors to hand on."""

    argv: Sequence[str]
    directory: Path
    environment: Mapping[str, str]
    inherit: Sequence[int] = ()


def supervise(
    child: Child,
    feeds: tuple[Feed, Feed],
    stop_sequence: Sequence[Step],
    on_wait: Callable[[InterruptSent], None] = lambda _: None,
    stop_pipe: int | None = None,
) -> Ended:
    """Start a child, and return only when it has ended and was reaped.

    Args:
        stop_sequence: What the first stop request does, the second, and all later ones.
        on_wait: Told of each step and of each second of waiting after it.
        stop_pipe: A pipe that has a byte for each stop request. Where None, the signals are
            caught, which only the main thread can do.
    """
    with ExitStack() as stack:
        if stop_pipe is None:
            stop_pipe = stack.enter_context(stop_signals())
        with ExitStack() as ends:
            out, out_end = _pipe(stack, ends)
            err, err_end = _pipe(stack, ends)
            process = _start(child, (out, out_end), (err, err_end))
        pipes = {out: feeds[0], err: feeds[1]}
        return _Watch(process, pipes, stop_sequence, on_wait).until_reaped(stop_pipe)


class _Watch:
    """The loop, and what it has to remember: the steps taken, since when, the first error."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        pipes: Mapping[int, Feed],
        stop_sequence: Sequence[Step],
        on_wait: Callable[[InterruptSent], None],
    ) -> None:
        self._process, self._pipes = process, pipes
        self._stop_sequence, self._on_wait = stop_sequence, on_wait
        self._steps: list[Step] = []
        self._asked_first = self._asked_last = self._reported = -inf
        self._error: BaseException | None = None

    def until_reaped(self, stop_pipe: int) -> Ended:
        with _exit_watch(self._process) as ended:
            try:
                self._loop(stop_pipe, ended)
            except BaseException:
                # A fault of ours, such as no descriptor left: leave nothing behind.
                self._kill_group()
                self._process.wait()
                raise
        if self._steps:
            # Before reaping, while the group's number cannot be another's: an interrupted
            # Terraform kills a provisioner's shell and leaves what that shell had started.
            self._kill_group()
        returncode = self._process.wait()
        if returncode < 0:
            self._kill_group()  # It died of a signal, and could not end its providers.
        return Ended(returncode, tuple(self._steps), self._error)

    def _loop(self, stop_pipe: int, ended: int) -> None:
        with selectors.DefaultSelector() as selector:
            for descriptor in (stop_pipe, ended, *self._pipes):
                selector.register(descriptor, selectors.EVENT_READ)
            ready: set[int] = set()
            while ended not in ready:
                ready = {key.fd for key, _ in selector.select(_TICK if self._steps else None)}
                for pipe in ready & self._pipes.keys():
                    if self._drain(pipe) == 0:
                        selector.unregister(pipe)
                if stop_pipe in ready and read_stop_requests(stop_pipe):
                    self._ask()
                self._report_wait()
        for pipe in self._pipes:
            # What is left in it and no more: a grandchild may hold it open, and even write on.
            left = _PIPE
            while left > 0 and (read := self._drain(pipe)) > 0:
                left -= read

    def _drain(self, pipe: int) -> int:
        """Read one chunk; return its size, 0 at the end, -1 where there is nothing now."""
        try:
            chunk = os.read(pipe, _CHUNK)
        except BlockingIOError:
            return -1
        if chunk:
            self._guarded(self._pipes[pipe], chunk)
        return len(chunk)

    def _guarded(self, callback: Callable[[_T], None], argument: _T) -> None:
        try:
            callback(argument)
        except BaseException as error:  # noqa: BLE001 - kept, and raised when the child has ended
            if not self._steps:
                self._error = error
                self._ask()

    def _ask(self) -> None:
        now = time.monotonic()
        if now - self._asked_last < _SAME_REQUEST:
            return
        step = self._stop_sequence[min(len(self._steps), len(self._stop_sequence) - 1)]
        if not self._steps:
            self._asked_first = now
        if self._steps[-1:] != [step]:
            self._steps.append(step)
        self._asked_last, self._reported = now, -inf
        if step == "kill":
            self._kill_group()
        else:
            # To Terraform alone: its providers and provisioners are its own to stop. Not through
            # Popen, which would reap it first and free its group's number.
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, _SIGNALS[step])

    def _report_wait(self) -> None:
        now = time.monotonic()
        if self._steps and now - self._reported >= _TICK:
            self._reported = now
            self._guarded(self._on_wait, InterruptSent(self._steps[-1], now - self._asked_first))

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _start(child: Child, out: tuple[int, int], err: tuple[int, int]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            child.argv,
            cwd=child.directory,
            env=dict(child.environment),
            stdin=subprocess.DEVNULL,
            stdout=out[1],
            stderr=err[1],
            start_new_session=True,
            umask=0o077,
            # The child keeps a reader of its own output. Without one, the first word that it
            # prints after our death ends it by SIGPIPE: state unsaved, lock held.
            pass_fds=(out[0], err[0], *child.inherit),
        )
    except OSError as error:
        line = f"{error.filename or child.argv[0]}: {error.strerror}"
        raise NotStarted(line, fix_for(error, None) or None) from error


def _pipe(reading: ExitStack, writing: ExitStack) -> tuple[int, int]:
    """Make a pipe whose ends are closed by two stacks."""
    reader, writer = os.pipe()
    reading.callback(os.close, reader)
    writing.callback(os.close, writer)
    os.set_blocking(reader, False)
    if sys.platform == "linux":
        # Room for the last words of a child that outlives us.
        with suppress(OSError):
            fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, _PIPE)
    return reader, writer


@contextmanager
def _exit_watch(process: subprocess.Popen[bytes]) -> Iterator[int]:
    """Yield a descriptor that is readable once the process has ended."""
    watch = _process_descriptor(process.pid)
    if watch is not None:
        try:
            yield watch
        finally:
            os.close(watch)
        return
    reader, writer = os.pipe()

    def wait() -> None:
        process.wait()
        os.close(writer)

    waiting = threading.Thread(target=wait)
    waiting.start()
    try:
        yield reader
    finally:
        waiting.join()
        os.close(reader)


def _process_descriptor(pid: int) -> int | None:
    if sys.platform == "linux":
        with suppress(OSError):  # a kernel older than 5.3
            return os.pidfd_open(pid)
    return None
