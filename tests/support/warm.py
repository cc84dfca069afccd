"""Commands in processes of their own, forked from one that has already imported the program.

Python takes longer to import the command line than most commands take. So each test process keeps
one process beside it that has done that and nothing else; every command is a fork of it, with the
folder, the environment and the streams that are asked for, and ends as any Python does. Starts of
`python -m biomodal_deploy` itself are tested where that matters: on signals, streams, terminals.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

_ROOT: Final = Path(__file__).parents[2]
_SERVER: Final = (
    f"import sys; sys.path.insert(0, {str(_ROOT)!r}); from tests.support import warm; warm.serve()"
)
_STEERING: Final = ("PYTHON", "LC_", "LANG")
_LONGEST: Final = 1 << 20
_BESIDES: Final = ("biomodal_deploy.cli.boundary", "biomodal_deploy.cli.stopping", "boto3.session")


def can_run(folder: Path, environment: Mapping[str, str]) -> bool:
    """Whether a new Python would do there as this one does: nothing steers it otherwise."""
    ours, theirs = (
        {name: value for name, value in each.items() if name.startswith(_STEERING)}
        for each in (os.environ, environment)
    )
    # A checkout's own constructs are for its `main.py`, which is a Python of its own.
    if theirs.get("PYTHONPATH") == str(folder / "constructs"):
        theirs["PYTHONPATH"] = ours.get("PYTHONPATH", "")
    return {**ours, "PYTHONPATH": ""} | ours == {**theirs, "PYTHONPATH": ""} | theirs


def run(
    folder: Path, words: Sequence[str], environment: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run one command of `biomodal-aws` in a folder, with nothing to read."""
    request = {"folder": str(folder), "words": list(words), "environment": dict(environment)}
    ours, theirs = socket.socketpair()
    out, its_out = os.pipe()
    err, its_err = os.pipe()
    with (
        ours,
        os.fdopen(out) as out_file,
        os.fdopen(err) as err_file,
        ThreadPoolExecutor(2) as pool,
    ):
        try:
            descriptors = [theirs.fileno(), its_out, its_err]
            socket.send_fds(_server(), [json.dumps(request).encode()], descriptors)
        finally:
            theirs.close()
            os.close(its_out)
            os.close(its_err)
        printed = [pool.submit(each.read) for each in (out_file, err_file)]
        told = ours.makefile()
        process = int(told.readline())
        ours.settimeout(timeout)
        try:
            status = int(told.readline())
        except TimeoutError:
            os.kill(process, signal.SIGKILL)
            raise subprocess.TimeoutExpired(list(words), timeout) from None
        return subprocess.CompletedProcess(
            list(words), status, *(each.result() for each in printed)
        )


@cache
def _server() -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen([sys.executable, "-c", _SERVER], stdin=theirs.fileno())
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LONGEST)

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def serve() -> None:
    """Fork a command for each request, until the test process has gone."""
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    commands = sorted((_ROOT / "biomodal_deploy" / "cli" / "commands").glob("[a-z]*.py"))
    for name in (*_BESIDES, *(f"biomodal_deploy.cli.commands.{path.stem}" for path in commands)):
        import_module(name)
    gc.freeze()
    with socket.socket(fileno=os.dup(0)) as requests:
        while True:
            data, descriptors, _, _ = socket.recv_fds(requests, _LONGEST, 3)
            with suppress(ChildProcessError):  # there is none
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            if not data:
                return
            if os.fork() == 0:
                requests.close()
                _watch(json.loads(data), *descriptors)
                return
            for each in descriptors:
                os.close(each)


def _watch(request: Mapping[str, Any], reply: int, out: int, err: int) -> None:
    """Fork the command, say who it is and, in the end, how it ended; or be the command."""
    process = os.fork()
    if process:
        os.close(out)
        os.close(err)
        os.write(reply, f"{process}\n".encode())
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        os.write(reply, f"{status}\n".encode())
        os._exit(0)
    null = os.open(os.devnull, os.O_RDONLY)
    for number, each in enumerate((null, out, err)):
        os.dup2(each, number)
    for each in (null, reply, out, err):
        os.close(each)
    sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", errors="backslashreplace", closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    os.chdir(request["folder"])
    sys.path[0], sys.argv = request["folder"], ["-m", *request["words"]]
    runpy.run_module("biomodal_deploy", run_name="__main__", alter_sys=True)
