"""Start the engine driver or a whole command, signal it, and see what it leaves behind."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import psutil

ROOT: Final = Path(__file__).parents[2]
MARK: Final = "DRIVEN_TEST_RUN"
SCREEN: Final = "screen.txt"


class Terminal:
    """The far end of a terminal, read all the time: a full one would hold the driver up."""

    def __init__(self, master: int) -> None:
        self._master = master
        self.shown = bytearray()
        self._closed = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @classmethod
    def open(cls) -> tuple[Self, int]:
        """Return a terminal and the descriptor for who sits at it."""
        master, slave = os.openpty()
        return cls(master), slave

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._master, f"{line}\r".encode())

    def close(self) -> None:
        """Close it, as closing its window does."""
        self._closed.set()
        self._reader.join()
        os.close(self._master)

    def _read(self) -> None:
        with suppress(OSError):  # nobody sits at it any more
            while not self._closed.is_set():
                if select.select([self._master], [], [], 0.01)[0]:
                    self.shown += os.read(self._master, 1 << 16)


@dataclass
class Driven:
    """A driver that runs, and the mark that it and all its descendants carry."""

    process: subprocess.Popen[bytes]
    directory: Path
    mark: str
    terminal: Terminal | None = None

    @classmethod
    def start(
        cls,
        directory: Path,
        verb: str,
        program: Sequence[str],
        environment: Mapping[str, str],
        *,
        terminal: bool = False,
    ) -> Self:
        """Start a verb, and return just before the engine is called."""
        for name in ("ready", "result.json"):
            (directory / name).unlink(missing_ok=True)
        variables = {
            **environment,
            "DRIVER_BINARY": json.dumps(list(program)),
            "PYTHONPATH": str(ROOT),
        }
        argv = [sys.executable, "-m", "tests.support.engine_driver", str(directory), verb]
        driven = cls._spawned(argv, directory, variables, terminal=terminal)
        driven.until(lambda: (directory / "ready").exists())
        return driven

    @classmethod
    def command(
        cls,
        directory: Path,
        words: Sequence[str],
        environment: Mapping[str, str],
        *,
        terminal: bool = False,
    ) -> Self:
        """Start a command of `biomodal-aws` in a project's folder; it listens to signals then."""
        argv = [sys.executable, "-m", "biomodal_deploy", *words]
        driven = cls._spawned(argv, directory, environment, terminal=terminal)
        driven.until(driven.listens)
        return driven

    @classmethod
    def begun(cls, directory: Path, words: Sequence[str], environment: Mapping[str, str]) -> Self:
        """Start a command of `biomodal-aws` in a project's folder, and return at once."""
        argv = [sys.executable, "-m", "biomodal_deploy", *words]
        return cls._spawned(argv, directory, environment, terminal=False)

    @classmethod
    def _spawned(
        cls, argv: Sequence[str], directory: Path, environment: Mapping[str, str], *, terminal: bool
    ) -> Self:
        mark = uuid.uuid4().hex
        variables = {**environment, MARK: mark}
        if terminal:
            screen, slave = Terminal.open()
            # It becomes the controlling one: closing it is then a hang-up.
            process = subprocess.Popen(
                argv,
                cwd=directory,
                env=variables,
                pass_fds=(slave,),
                preexec_fn=lambda: os.login_tty(slave),
            )
            os.close(slave)
            return cls(process, directory, mark, screen)
        with (directory / SCREEN).open("wb") as screen_file:
            process = subprocess.Popen(
                argv,
                cwd=directory,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=screen_file,
                stderr=screen_file,
            )
        return cls(process, directory, mark)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for process in self.descendants():
            with suppress(psutil.NoSuchProcess):  # it may end by itself meanwhile
                process.kill()

    def until(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait for something that will be so."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not come to that in time"
            time.sleep(0.005)

    def listens(self) -> bool:
        """Whether it has ended, or has a handler of its own for SIGTERM."""
        if self.process.poll() is not None:
            return True
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("SigCgt:"):
                return bool(int(line.split()[1], 16) >> (signal.SIGTERM - 1) & 1)
        return False

    def said(self, text: str) -> bool:
        """Whether the log holds a text by now."""
        log = self.directory / "run.log"
        return log.exists() and text in log.read_text(errors="replace")

    @property
    def screen(self) -> str:
        """What it has printed; after a hang-up, nothing."""
        if self.terminal:
            return self.terminal.shown.decode(errors="replace")
        file = self.directory / SCREEN
        return file.read_text(errors="replace") if file.exists() else ""

    def hang_up(self) -> None:
        """Close its terminal."""
        if self.terminal:
            self.terminal.close()
            self.terminal = None

    def end(self, seconds: float = 60.0) -> dict[str, Any] | None:
        """Wait until it ended, and return its result; None where it wrote none."""
        self.process.wait(timeout=seconds)
        self.hang_up()
        result = self.directory / "result.json"
        return dict(json.loads(result.read_text())) if result.exists() else None

    def descendants(self) -> list[psutil.Process]:
        """Return every living process of this run but the driver."""
        return [
            process
            for process in psutil.process_iter()
            if process.pid != self.process.pid and self._is_ours(process)
        ]

    def descendants_but_shells(self) -> list[psutil.Process]:
        """Return those that are no leftovers of a provisioner."""
        return [one for one in self.descendants() if self.name_of(one) not in {"sh", "sleep"}]

    def none_left(self, seconds: float = 30.0) -> None:
        """Fail where a process of this run lives on."""
        end = time.monotonic() + seconds
        while (left := self.descendants()) and time.monotonic() < end:
            time.sleep(0.02)
        assert [f"{process.pid} {self.name_of(process)}" for process in left] == []

    @staticmethod
    def name_of(process: psutil.Process) -> str:
        """Return a process's name; it may have ended just now."""
        try:
            return process.name()
        except psutil.Error:
            return "sh"

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            zombie = process.status() == psutil.STATUS_ZOMBIE
            return not zombie and process.environ().get(MARK) == self.mark
        except psutil.Error:
            return False
