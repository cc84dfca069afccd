"""What every command needs: the project with a progress display, the plan meant, one way out."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Final

from pydantic_core import to_jsonable_python
from rich.console import Console

from biomodal_deploy.cli.next_steps import steps_for
from biomodal_deploy.cli.options import Format
from biomodal_deploy.cli.render import message_console, output_console
from biomodal_deploy.cli.render.progress import PartProgress, Progress
from biomodal_deploy.errors import EXIT_DONE, BiomodalError, SealedPlanRefused, UsageError
from biomodal_deploy.plan.sealed import SealedPlan
from biomodal_deploy.text import as_json
from biomodal_deploy.workflow.location import Listener, Location
from biomodal_deploy.workflow.plans import find_latest, find_sealed_plan
from biomodal_deploy.workflow.variables import files_by_hand

_NO_ROOM: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class Session:
    """One command at work."""

    location: Location
    progress: Progress

    @property
    def on_event(self) -> Listener:
        """What shows a signal of the workflow."""
        return self.location.on_event

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
        output: How the command prints; programs get no progress on the way.
        part: Whether it is one of a set, and reports its progress to the set's command.
    """
    _check_temporary_folder(os.environ.get("TMPDIR"))
    location = Location.of(project_dir)
    display = PartProgress if part else Progress
    with display(message_console(), quiet=output is Format.JSON) as progress:
        yield Session(replace(location, on_event=progress.on_event), progress)


@contextmanager
def importing(*modules: str) -> Iterator[None]:
    """Import modules in a thread, while this one waits for a child process."""
    thread = Thread(target=lambda: [import_module(module) for module in modules])
    thread.start()
    try:
        yield
    finally:
        thread.join()


def emit(
    data: object, show: Callable[[Console], None], output: Format, exit_status: int = EXIT_DONE
) -> int:
    """Print a result to standard output, for programs or for people; return the exit status.

    The status is the command's also where nobody reads to the end (`biomodal-aws plan | head`).

    Raises:
        UsageError: It cannot be written; what the command did stands.
    """
    try:
        if output is Format.JSON:
            envelope = {"exit_status": exit_status, "data": data, "error": None}
            print(as_json(envelope, to_jsonable_python))
        else:
            show(output_console())
        sys.stdout.flush()
    except BrokenPipeError:
        pass
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise  # a terminal that is gone
        raise UsageError(
            f"cannot be written ({error.strerror}); the command itself is done, with exit status "
            f"{exit_status}",
            field="standard output",
            fix="write it elsewhere; biomodal-aws history says what was done",
        ) from None
    return exit_status


def _check_temporary_folder(path: str | None) -> None:
    """Refuse a TMPDIR that Terraform's providers and Node would fail in, with less to go by."""
    if path and not (Path(path).is_dir() and os.access(path, os.W_OK | os.X_OK)):
        raise UsageError(
            "is not a folder that can be written",
            field="TMPDIR",
            value=path,
            fix="create it, set TMPDIR to another folder, or unset it",
        )


def meant_plan(location: Location, stack: str, named: str | None, by: str | None) -> SealedPlan:
    """Return the sealed plan that is meant; the steps printed from here on are for it.

    Where only used ones are left, they are for the last of them: the next plan is of its values.

    Args:
        named: The plan's id or path; the newest unused one where None.
        by: The stack that was named, or that the plan's id names alone.
    """
    try:
        found = find_sealed_plan(location, stack, named)
    except SealedPlanRefused:
        # The refusal is the news, whatever is wrong with the plan before.
        with suppress(BiomodalError):
            _steps_like(location, find_latest(location, stack, None), by)
        raise
    _steps_like(location, found, by)
    return found


def _steps_like(location: Location, plan: SealedPlan, by: str | None) -> None:
    steps_for(by, files_by_hand(location, plan.manifest.facts))
