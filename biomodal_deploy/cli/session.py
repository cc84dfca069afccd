"""What every workflow command needs: the project, and a progress display that listens."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from biomodal_deploy.cli.options import Format
from biomodal_deploy.cli.render.console import message_console
from biomodal_deploy.cli.render.progress import PartProgress, Progress
from biomodal_deploy.errors import UsageError
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.signals import Notice, Signal, Step


@dataclass(frozen=True)
class Session:
    """One command at work.

    Attributes:
        location: The project.
        progress: What people see meanwhile.
    """

    location: Location
    progress: Progress

    def listen(self, signal: Signal) -> None:
        """Show one signal of the workflow."""
        match signal:
            case Step(text):
                self.progress.step(text)
            case Notice(text):
                self.progress.notice(text)
            case _:
                self.progress.event(signal)

    @property
    def can_ask(self) -> bool:
        """Whether there is a person to ask."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def ask(self, question: str) -> str | None:
        """Ask a person, where there is one; None where nobody can answer."""
        if not self.can_ask:
            return None
        self.progress.pause()
        return message_console().input(question).strip()


@contextmanager
def session(project_dir: Path, output: Format, *, part: bool = False) -> Iterator[Session]:
    """Open a project for a command.

    Args:
        project_dir: The folder that holds `cdktf.json`.
        output: How the command prints; programs get no progress on the way.
        part: Whether it is one of a set, and reports its progress to the set's command.

    Raises:
        UsageError: `cdktf.json` is missing or wrong, or TMPDIR.
    """
    _check_temporary_folder(os.environ.get("TMPDIR"))
    location = Location.of(project_dir)
    display = PartProgress if part else Progress
    with display(message_console(), quiet=output is Format.JSON) as progress:
        yield Session(location, progress)


def _check_temporary_folder(path: str | None) -> None:
    """Refuse a TMPDIR that Terraform's providers and Node would fail in, with less to go by."""
    if path and not (Path(path).is_dir() and os.access(path, os.W_OK | os.X_OK)):
        raise UsageError(
            "is not a folder that can be written",
            field="TMPDIR",
            value=path,
            fix="create it, set TMPDIR to another folder, or unset it",
        )
