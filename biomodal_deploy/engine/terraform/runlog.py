"""The log of one long call, and what its events add up to.

It is written as it comes, and read by the run after one that was killed.
"""

from __future__ import annotations

import json
import os
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from pydantic import JsonValue

from biomodal_deploy.engine.process import Ended, InterruptSent, Line
from biomodal_deploy.engine.terraform.events import (
    ApplyEvent,
    ChangeEvent,
    ChangeSummary,
    Diagnostic,
    DiagnosticEvent,
    Event,
    OutputsEvent,
    SummaryEvent,
    TextLine,
    UnknownEvent,
    parse,
)
from biomodal_deploy.engine.terraform.locks import lock_holder
from biomodal_deploy.engine.terraform.results import ApplyRun, Touched
from biomodal_deploy.errors import EngineError

_MODULE: Final = "biomodal-aws"
# A faulty configuration can say the same thing of each of its resources.
_MOST_DIAGNOSTICS: Final = 100
_MOST_TEXT: Final = 20
_BOX: Final = "│╷╵ \t"
_ERROR: Final = re.compile(r"(?:Error: |panic: |Failed to |Error parsing )")
_NOT_A_CHANGE: Final = {"no-op", "noop", "read"}
_BEGUN_WITH_EVENTS: Final = {"create", "update", "delete", "replace"}
# The AWS provider's words where a resource of the state is no longer there.
_NOT_FOUND: Final = "AWS resource not found during refresh"


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
    summary = ApplySummary()
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for text in lines:
                event = parse(Line("stdout", text.rstrip("\n")))
                if isinstance(event, UnknownEvent) and event.fields.get("@module") == _MODULE:
                    if event.type == "run_started":
                        verb, started = str(event.fields["verb"]), str(event.fields["@timestamp"])
                        status, summary = None, ApplySummary()
                    elif event.type == "run_ended":
                        status = int(str(event.fields["status"]))
                elif not isinstance(event, TextLine):
                    summary.note(event)
            running = status is None and lock_holder(lines.fileno()) is not None
    except FileNotFoundError:
        return None
    return LoggedRun(verb, started, status, running, summary.apply_run()) if verb else None


class ErrorText:
    """The first error among plain lines, as a diagnostic.

    Terraform reports some errors only as text: faulty flags and CLI configuration, everything of
    the verbs without `-json`, its own crashes. The first is the cause, the last line seldom is.
    """

    def __init__(self) -> None:
        self._error: list[str] = []
        self._last: deque[str] = deque(maxlen=_MOST_TEXT)
        self._ended = False

    def note(self, text: str) -> None:
        """Take the next line."""
        plain = text.strip(_BOX)
        if self._error and not self._ended:
            self._ended = text.startswith("╵") or len(self._error) >= _MOST_TEXT
            self._error.append(plain)
        elif not self._error and _ERROR.match(plain):
            self._error.append(plain.removeprefix("Error: "))
        if plain:
            self._last.append(plain)

    @property
    def diagnostic(self) -> Diagnostic | None:
        """The first error, or failing that the last lines; None where nothing was printed."""
        if self._error:
            summary, *detail = self._error
        elif self._last:
            summary, detail = self._last[-1], list(self._last)[:-1]
        else:
            return None
        return Diagnostic(severity="error", summary=summary, detail="\n".join(detail).strip())


class ApplySummary:
    """Counts and keeps what matters of an event stream, in bounded memory.

    Attributes:
        summary: Terraform's own counts, once it has said them.
    """

    def __init__(self) -> None:
        self.summary: ChangeSummary | None = None
        self.has_changes = False
        self.interrupted = False
        self.warnings: list[Diagnostic] = []
        self._errors: list[Diagnostic] = []
        self._text = ErrorText()
        self._begun: dict[tuple[str, str], Touched] = {}
        self._completed: list[Touched] = []
        self._failed: list[Touched] = []
        self._planned: dict[str, str] = {}
        self._gone: list[str] = []
        self._outputs: dict[str, JsonValue] = {}

    def note(self, event: Event) -> None:
        """Take the next event."""
        match event:
            case ApplyEvent():
                self._applied(event)
            case DiagnosticEvent(diagnostic=diagnostic):
                kept = self._errors if diagnostic.is_error else self.warnings
                if len(kept) < _MOST_DIAGNOSTICS and diagnostic not in kept[-1:]:
                    kept.append(diagnostic)
            case ChangeEvent(change=change):
                self.has_changes |= change.action not in _NOT_A_CHANGE
                if event.type == "planned_change" and change.action in _BEGUN_WITH_EVENTS:
                    self._planned[change.resource.addr] = change.action
                elif event.type == "resource_drift" and change.action == "delete":
                    self._gone.append(change.resource.addr)
            case SummaryEvent(changes=changes):
                self.summary = changes
                self.has_changes |= changes.total > 0
            case OutputsEvent(outputs=outputs):
                actions = {output.action for output in outputs.values() if output.action}
                self.has_changes |= bool(actions - _NOT_A_CHANGE)
                self._outputs = {
                    name: output.value for name, output in outputs.items() if not output.sensitive
                }
            case TextLine(text=text):
                self._text.note(text)
            case _:
                pass

    def named(self, event: Event) -> Event:
        """Return an event; where it warns of a resource that is gone, with the resource's address.

        Terraform itself names only those that the configuration has, and these are made again. The
        warnings come after both: what is gone and not planned is what the others are about.
        """
        if not isinstance(event, DiagnosticEvent):
            return event
        diagnostic = event.diagnostic
        about = [address for address in self._gone if address not in self._planned]
        if diagnostic.address or diagnostic.summary != _NOT_FOUND or not about:
            return event
        named = diagnostic.model_copy(update={"address": " or ".join(about)})
        return event.model_copy(update={"diagnostic": named})

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """What went wrong, the cause first; plain text counts where no event said more."""
        spoken = self._text.diagnostic
        return tuple(self._errors) or ((spoken,) if spoken else ())

    def apply_run(self, *, interrupted: bool = False) -> ApplyRun:
        """Return what became of each resource."""
        touched = (*self._completed, *self._failed, *self._begun.values())
        begun = {each.address for each in touched}
        return ApplyRun(
            completed=tuple(self._completed),
            failed=tuple(self._failed),
            in_progress=tuple(self._begun.values()),
            not_begun=tuple(
                Touched(*each) for each in self._planned.items() if each[0] not in begun
            ),
            summary=self.summary if self.summary and self.summary.operation != "plan" else None,
            warnings=tuple(self.warnings),
            interrupted=interrupted,
            outputs=self._outputs,
        )

    def _applied(self, event: ApplyEvent) -> None:
        hook = event.hook
        key = (hook.resource.addr, hook.action)
        touched = Touched(*key, seconds=hook.elapsed_seconds, id=hook.id_value)
        if event.type in {"apply_start", "apply_progress"}:
            self._begun[key] = touched
            return
        self._begun.pop(key, None)
        if event.type != "apply_complete":
            self._failed.append(touched)
        elif hook.action not in _NOT_A_CHANGE:
            # Data that is known only during the apply is read in it.
            self._completed.append(touched)
