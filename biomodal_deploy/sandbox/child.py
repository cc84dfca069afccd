"""Start the sandbox's server, learn where it is, and end it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from biomodal_deploy.errors import EngineError, UsageError
from biomodal_deploy.sandbox.account import Account, Item

_START_LIMIT_S: Final = 60.0
_STOP_LIMIT_S: Final = 5.0
SERVER: Final = "biomodal_deploy.sandbox.server"


class ServerChild:
    """The server process, started, ready, and bound to our life by a pipe.

    Args:
        log: Where its words go, mode 0600 in a folder of our own.

    Raises:
        EngineError: It ended or said nothing before the limit.
    """

    def __init__(
        self,
        arguments: list[str],
        *,
        environment: Mapping[str, str],
        log: Path,
        server: str = SERVER,
    ) -> None:
        if find_spec("moto") is None:
            raise UsageError(
                "The sandbox's AWS services (moto) are not installed",
                fix='pip install "biomodal-aws[sandbox]"',
            )
        self._log = log
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as stderr:
            # -P: the caller's directory may hold a module of any name, and is no place to import
            # from. A session of its own: the terminal's Ctrl-C must not reach it, for Terraform
            # still needs an account to finish in.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", server, *arguments],
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
                umask=0o077,
            )
        try:
            self.account = self._await_report()
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    def stop(self) -> None:
        """End it and reap it; again is fine."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        try:
            self._process.wait(_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        finally:
            self._process.wait()

    def _await_report(self) -> Account:
        # A server that hangs gives no line and no end of file: its death gives the latter.
        deadline = threading.Timer(_START_LIMIT_S, self._process.kill)
        deadline.daemon = True
        deadline.start()
        try:
            line = self._process.stdout.readline() if self._process.stdout else b""
        finally:
            deadline.cancel()
        try:
            found = json.loads(line)
            baseline = frozenset(Item(**each) for each in found["baseline"])
            return Account(
                **{**found, "subnet_ids": tuple(found["subnet_ids"]), "baseline": baseline}
            )
        except (ValueError, TypeError, KeyError):
            # Its last words are written after the end of its report, and its log goes with it once
            # it sees the end of ours.
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_LIMIT_S)
            raise EngineError(
                f"The sandbox's server did not start: {self._last_words()}",
                advice='check that it is whole: pip install --force-reinstall "moto[server]"',
            ) from None

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else "it said nothing"
