"""What a command that is one of a set says on the way: lines for the set's command."""

from __future__ import annotations

import sys

from biomodal_deploy.cli.render.progress import Progress
from biomodal_deploy.engine.process import InterruptSent
from biomodal_deploy.engine.terraform.events import ApplyEvent, DiagnosticEvent, Event
from biomodal_deploy.workflow.sets.telling import Told


class PartProgress(Progress):
    """Tells the set's command what goes on, one line of JSON each on standard error."""

    def step(self, text: str) -> None:
        """Say what begins."""
        _tell(Told(kind="step", text=text))

    def notice(self, text: str) -> None:
        """Say something that the user should know and need not act on."""
        _tell(Told(kind="notice", text=text))

    def event(self, event: Event) -> None:
        """Take up one event of the engine."""
        if isinstance(event, InterruptSent):
            _tell(Told(kind="step", text=f"Asked Terraform to stop ({event.step})"))
        elif isinstance(event, DiagnosticEvent):
            if not event.diagnostic.is_error:
                _tell(Told(kind="notice", text=f"warning: {event.diagnostic.summary}"))
        elif isinstance(event, ApplyEvent) and event.hook.action != "read":
            _tell(Told(kind="busy", text=event.hook.resource.addr))


def _tell(told: Told) -> None:
    sys.stderr.write(told.model_dump_json() + "\n")
    sys.stderr.flush()
