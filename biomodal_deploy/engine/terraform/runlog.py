"""The log of one long call: written as it comes, read by the run after one that was killed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from pydantic import JsonValue

from biomodal_deploy.engine.process import Ended, InterruptSent, Line
from biomodal_deploy.engine.terraform.apply_summary import ApplySummary
from biomodal_deploy.engine.terraform.events import TextLine, UnknownEvent, parse
from biomodal_deploy.engine.terraform.locks import lock_holder
from biomodal_deploy.engine.terraform.results import ApplyRun
from biomodal_deploy.errors import EngineError

_MODULE: Final = "biomodal-aws"


class RunLog:
    """Everything that Terraform prints in one call, between two lines of ours.

    Where the closing line is missing, the command died before it could write it.

    Terraform locks the file for as long as it lives, however it ends: that tells a run that goes
    on without its command from one that is over.

    Args:
        redact: Applied to each line before it is written or read as an event.
    """

    def __init__(self, path: Path, verb: str, redact: Callable[[str], str]) -> None:
        self.path, self._verb, self._redact = path, verb, redact

    def __enter__(self) -> Self:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.descriptor = os.open(self.path, flags, 0o600)
            os.fchmod(self.descriptor, 0o600)
        except OSError as error:
            raise self._unwritable(error) from error
        self._own("run_started", verb=self._verb, pid=os.getpid())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self.descriptor)

    def line(self, line: Line) -> Line:
        """Write one line, and return it as it may be shown."""
        shown = Line(line.stream, self._redact(line.text), line.left_out)
        note = f" [{line.left_out} bytes left out]" if line.left_out else ""
        self._write(f"{shown.text}{note}\n")
        return shown

    def wait(self, sent: InterruptSent) -> None:
        """Write that Terraform was asked to stop."""
        self._own("stop_asked", step=sent.step, seconds_waited=round(sent.seconds_waited, 1))

    def ended(self, ended: Ended) -> None:
        """Write how it ended."""
        self._own("run_ended", status=ended.returncode, steps=list(ended.steps))

    def _own(self, kind: str, **fields: JsonValue) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._write(json.dumps({"@module": _MODULE, "@timestamp": now, "type": kind} | fields))
        self._write("\n")

    def _write(self, text: str) -> None:
        data = memoryview(text.encode("utf-8", "replace"))
        try:
            while data:
                data = data[os.write(self.descriptor, data) :]
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> EngineError:
        return EngineError(f"the log cannot be written: {error.strerror}", log=self.path)


@dataclass(frozen=True)
class LoggedRun:
    """What a log says of its last call.

    Attributes:
        status: Terraform's exit status; None where the command died before it could write it.
        running: It has no end yet, and Terraform is still at work.
    """

    verb: str
    started: str
    status: int | None
    running: bool
    run: ApplyRun


def read_log(path: Path) -> LoggedRun | None:
    """Read what became of a call; None where the file tells of none."""
    verb = started = ""
    status: int | None = None
    tally = ApplySummary()
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for text in lines:
                event = parse(Line("stdout", text.rstrip("\n")))
                if isinstance(event, UnknownEvent) and event.fields.get("@module") == _MODULE:
                    if event.type == "run_started":
                        verb, started = str(event.fields["verb"]), str(event.fields["@timestamp"])
                        status, tally = None, ApplySummary()
                    elif event.type == "run_ended":
                        status = int(str(event.fields["status"]))
                elif not isinstance(event, TextLine):
                    tally.note(event)
            running = status is None and lock_holder(lines.fileno()) is not None
    except FileNotFoundError:
        return None
    return LoggedRun(verb, started, status, running, tally.apply_run()) if verb else None
