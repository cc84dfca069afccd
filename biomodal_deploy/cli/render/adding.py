"""A stack that was added, or would be."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from biomodal_deploy.config.settings import PROJECT_FILE
from biomodal_deploy.config.tfvars.values import to_json
from biomodal_deploy.workflow.init import Draft, ProjectDraft

_STYLES = {"+": "good", "-": "bad"}


def show_added(console: Console, found: Draft, notes: Sequence[str], steps: Sequence[str]) -> None:
    """Print what was written, what to know about it, and what comes next."""
    name, file = found.answers.name, found.answers.var_file
    console.print(Text("Added: ", style="good").append(f"the stack {name}", "default"))
    console.print(Text(f"  settings   {PROJECT_FILE}"))
    console.print(Text(f"  variables  {file}"))
    _show_notes(console, notes)
    for number, step in enumerate((f"git add {PROJECT_FILE} {file}", *steps)):
        console.print(Text(f"{'Next: ' if number == 0 else '      '}{step}", style="quiet"))


def show_draft(console: Console, found: Draft, notes: Sequence[str]) -> None:
    """Print what would be written."""
    console.print(Text("Nothing is written. It would be:", style="bold"))
    for line in found.difference().splitlines():
        console.print(Text(line, style=_STYLES.get(line[:1], "")))
    console.print()
    console.print(Text(found.answers.var_file, style="bold"))
    for line in found.variables.splitlines():
        console.print(Text(line))
    _show_notes(console, notes)


def show_project(
    console: Console,
    found: ProjectDraft,
    notes: Sequence[str],
    steps: Sequence[str],
    *,
    written: bool,
) -> None:
    """Print what a new project has, what to know about it, and what comes next."""
    answers = found.answers
    if written:
        console.print(Text("Made: ", style="good").append(f"the project {answers.name}", "default"))
    else:
        console.print(Text("Nothing is written. It would be:", style="bold"))
    console.print(Text(f"  folder   {found.folder}"))
    console.print(Text(f"  stack    {answers.name}: {answers.bootstrap}, {answers.profile}"))
    console.print(Text(f"  files    {', '.join(_top(found))}"))
    if missing := answers.missing:
        _show_notes(console, [f"Fill in {answers.var_file}: {', '.join(missing)}"])
    _show_notes(console, notes)
    for number, step in enumerate(steps):
        console.print(Text(f"{'Next: ' if number == 0 else '      '}{step}", style="quiet"))


def project_data(
    found: ProjectDraft, notes: Sequence[str], steps: Sequence[str], *, written: bool
) -> dict[str, object]:
    """Return the same as data for programs."""
    return {
        "project": str(found.folder),
        "stack": found.answers.name,
        "written": written,
        "files": list(found.files),
        "kept": list(found.kept),
        "settings": found.answers.entry,
        "variables": json.loads(to_json(found.answers.values)),
        "missing": found.answers.missing,
        "notes": list(notes),
        "next": list(steps),
    }


def _top(found: ProjectDraft) -> list[str]:
    return sorted({name.split("/")[0] + "/" * ("/" in name) for name in found.files})


def added_data(
    found: Draft, notes: Sequence[str], steps: Sequence[str], *, written: bool
) -> dict[str, object]:
    """Return the same as data for programs."""
    return {
        "stack": found.answers.name,
        "written": written,
        "settings": found.answers.entry,
        "variables": json.loads(to_json(found.answers.values)),
        "var_file": found.answers.var_file,
        "var_file_text": found.variables,
        "notes": list(notes),
        "next": list(steps),
    }


def _show_notes(console: Console, notes: Sequence[str]) -> None:
    for note in notes:
        console.print(Text(f"note: {note}.", style="warning"))
