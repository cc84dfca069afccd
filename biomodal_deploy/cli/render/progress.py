"""What is going on, while it goes on: on standard error, so that results stay clean."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Self

from rich.console import Console
from rich.rule import Rule
from rich.status import Status
from rich.table import Table
from rich.text import Text

from biomodal_deploy.cli.next_steps import completed
from biomodal_deploy.cli.render import can_redraw
from biomodal_deploy.engine.process import InterruptSent
from biomodal_deploy.engine.terraform.events import ApplyEvent, Diagnostic, DiagnosticEvent, Event
from biomodal_deploy.sandbox.demo import StepResult
from biomodal_deploy.workflow.location import Notice, Step, WorkflowEvent
from biomodal_deploy.workflow.sets import Message

# Terraform ends what it began within seconds, or waits for AWS far longer.
_HANGS_S = 15
_MARKS = {"apply_complete": ("done", "good"), "apply_errored": ("failed", "bad")}


class Progress:
    """Follows a workflow: a spinner on a terminal, plain lines elsewhere.

    Args:
        quiet: Print nothing but warnings (for `--output json` where nobody watches).
    """

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console, self._quiet = console, quiet
        self._status: Status | None = None
        self._started = time.monotonic()
        self._step = ""
        self._working: dict[str, float] = {}

    def __enter__(self) -> Self:
        if can_redraw(self._console) and not self._quiet:
            self._status = self._console.status("Starting")
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.pause()

    def pause(self) -> None:
        """Stop drawing, for a question or for the end."""
        if self._status:
            self._status.stop()
            self._status = None

    def on_event(self, event: WorkflowEvent) -> None:
        """Show one signal of the workflow."""
        match event:
            case Step(text):
                self.step(text)
            case Notice(text):
                self.notice(completed(text))
            case _:
                self.event(event)

    def step(self, text: str) -> None:
        """Say what begins."""
        self._step = text
        self._working.clear()
        if self._quiet:
            return
        if self._status:
            self._refresh()
        else:
            self._console.print(f"{text} ...")

    def notice(self, text: str) -> None:
        """Say something that the user should know and need not act on."""
        self._console.print(Text(f"note: {text}", style="warning"))

    def event(self, event: Event) -> None:
        """Take up one event of the engine."""
        if isinstance(event, InterruptSent):
            self._interrupted(event)
        elif isinstance(event, DiagnosticEvent):
            if not event.diagnostic.is_error:
                self._console.print(Text(_warning(event.diagnostic), style="warning"))
        elif isinstance(event, ApplyEvent):
            self._applying(event)
        elif self._status:
            self._refresh()

    def _applying(self, event: ApplyEvent) -> None:
        address, action = event.hook.resource.addr, event.hook.action
        if action == "read":
            # Data sources are read at every plan; naming each would hide what changes.
            return
        if event.type in _MARKS:
            self._working.pop(address, None)
            word, style = _MARKS[event.type]
            seconds = f"{event.hook.elapsed_seconds:.0f} s"
            self._say(Text(f"  {word:<6} ", style=style).append(f"{address} ({action}, {seconds})"))
        elif event.type == "apply_start":
            self._working[address] = time.monotonic()
        elif not self._status:
            # Where nothing can be redrawn, a long wait still says that it is one.
            self._say(Text(f"  still {address} ({action}, {event.hook.elapsed_seconds:.0f} s)"))
        if self._status:
            self._refresh()

    def _interrupted(self, event: InterruptSent) -> None:
        seconds = event.seconds_waited
        waiting = "so please do not kill it"
        if seconds >= _HANGS_S:
            waiting = "or hangs: then Ctrl-C again makes it give up"
        text = (
            f"Asked Terraform to stop ({event.step}); it finishes what it began and releases the "
            f"lock, {waiting} ({seconds:.0f} s)"
        )
        if self._status:
            self._status.update(Text(text, style="warning"))
        elif int(seconds) % 5 == 0:
            self._console.print(Text(text, style="warning"))

    def _say(self, text: Text) -> None:
        if not self._quiet:
            self._console.print(text)

    def _refresh(self) -> None:
        if self._status is None:
            return
        names = list(self._working)
        busy = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        elapsed = time.monotonic() - self._started
        text = Text(f"{self._step} ({elapsed:.0f} s)")
        if busy:
            text.append(f"  {busy}", style="quiet")
        self._status.update(text)


class PartProgress(Progress):
    """Reports to the set's command, one line of JSON each on standard error."""

    def step(self, text: str) -> None:
        """Say what begins."""
        _report(Message(kind="step", text=text))

    def notice(self, text: str) -> None:
        """Say something that the user should know and need not act on."""
        _report(Message(kind="notice", text=text))

    def event(self, event: Event) -> None:
        """Take up one event of the engine."""
        if isinstance(event, InterruptSent):
            _report(Message(kind="step", text=f"Asked Terraform to stop ({event.step})"))
        elif isinstance(event, DiagnosticEvent):
            if not event.diagnostic.is_error:
                _report(Message(kind="notice", text=_warning(event.diagnostic)))
        elif isinstance(event, ApplyEvent) and event.hook.action != "read":
            _report(Message(kind="busy", text=event.hook.resource.addr))


def _warning(diagnostic: Diagnostic) -> str:
    """Return a warning with what it is about: alike words come for many resources."""
    about = f" ({diagnostic.address})" if diagnostic.address else ""
    return f"warning: {diagnostic.summary}{about}"


def _report(message: Message) -> None:
    sys.stderr.write(message.model_dump_json() + "\n")
    sys.stderr.flush()


def show_command(console: Console, command: str) -> None:
    """Print a command before it runs."""
    console.print(Text(f"$ {command}", style="bold"), soft_wrap=True)


def show_step(console: Console, number: int, total: int, title: str) -> None:
    """Print what comes next."""
    console.print()
    console.print(Rule(f"{number} of {total}: {title}", align="left", characters="-"))


def show_summary(console: Console, results: Sequence[StepResult], total: int) -> None:
    """Print what became of each step."""
    table = Table("Step", "Result", "Seconds", "", box=None, pad_edge=False)
    for result in results:
        word = Text("held", style="good") if result.ok else Text("failed", style="bad")
        if result.skipped:
            word = Text("skipped", style="warning")
        table.add_row(result.step, word, f"{result.seconds:.1f}", Text(result.note, style="quiet"))
    console.print()
    console.print(Rule(characters="-"))
    console.print(table)
    if all(result.ok for result in results) and len(results) == total:
        skipped = sum(result.skipped for result in results)
        rest = f", but for {skipped} that was not run" if skipped else ""
        console.print(Text(f"Every step held{rest}.", style="good"))
    else:
        console.print(Text(f"{total - len(results)} steps were not reached.", style="bad"))
