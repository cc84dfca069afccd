"""A stack that was added or would be, its questions on a terminal; the profiles compared."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import groupby
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from biomodal_deploy.cli.render import Line, can_redraw, print_lines
from biomodal_deploy.config.settings import PROJECT_FILE
from biomodal_deploy.config.tfvars.values import to_json
from biomodal_deploy.errors import Interrupted
from biomodal_deploy.review.hardening import Difference
from biomodal_deploy.text import counted
from biomodal_deploy.workflow.init import Choice, Question
from biomodal_deploy.workflow.init.project import ProjectDraft
from biomodal_deploy.workflow.init.writing import Draft

_STYLES = {"+": "good", "-": "bad"}

PAGE: Final = 15
_MORE: Final = "+"

_INDENT: Final = 2
_LABEL: Final = 12


def show_added(console: Console, found: Draft, notes: Sequence[str], steps: Sequence[str]) -> None:
    """Print what was written, what to know about it, and what comes next."""
    name, file = found.answers.name, found.answers.var_file
    console.print(Text("Added: ", style="good").append(f"the stack {name}", "default"))
    console.print(Text(f"  settings   {PROJECT_FILE}"))
    console.print(Text(f"  variables  {file}"))
    _show_notes(console, notes)
    _show_steps(console, (f"git add {PROJECT_FILE} {file}", *steps))


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
    top = sorted({name.split("/")[0] + "/" * ("/" in name) for name in found.files})
    console.print(Text(f"  files    {', '.join(top)}"))
    if missing := answers.missing:
        _show_notes(console, [f"Fill in {answers.var_file}: {', '.join(missing)}"])
    _show_notes(console, notes)
    _show_steps(console, steps)


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


def _show_steps(console: Console, steps: Sequence[str]) -> None:
    for number, step in enumerate(steps):
        console.print(Text(f"{'' if number else 'Next: ':<6}{step}", style="quiet"))


def _show_notes(console: Console, notes: Sequence[str]) -> None:
    for note in notes:
        console.print(Text(f"note: {note}.", style="warning"))


class Picker:
    """Asks a person, line by line: works over any connection, and with a screen reader.

    Args:
        console: Where to ask; answers come from standard input.
    """

    def __init__(self, console: Console) -> None:
        self._console = console

    def warn(self, line: str) -> None:
        """Print a line between two questions."""
        self._console.print(Text(f"{line}.", style="warning"))

    def waiting(self, what: str) -> AbstractContextManager[object]:
        """Show what is waited for, for as long as a `with` block."""
        text = Text(what, style="quiet")
        return self._console.status(text) if can_redraw(self._console) else nullcontext()

    def ask(self, question: Question) -> str:
        """Ask until there is an answer that keeps the rules.

        Raises:
            Interrupted: Standard input came to its end, or Ctrl-C.
        """
        self._console.print(Text(question.text, style="bold").append(f"  {question.name}", "quiet"))
        shown, start = question.choices, 0
        if len(shown) > PAGE and question.default is not None:
            # Enter is the likely answer: no page of others in its way.
            start = -PAGE
        self._show(shown, start)
        while True:
            typed = self._read(question, shown)
            if typed == _MORE and shown:
                start = start + PAGE if start + PAGE < len(shown) else 0
                self._show(shown, start)
                continue
            answer = self._meant(question, shown, typed)
            if answer is not None:
                rule = question.rule_broken_by(answer)
                if rule is None:
                    if question.choices and answer not in {each.value for each in question.choices}:
                        self.warn(f"{answer} is not in the list, and is taken as it is typed")
                    return answer
                self._console.print(Text(rule, style="bad"))
                continue
            shown, start = [each for each in question.choices if each.matches(typed)], 0
            self._show(shown, start)

    def _meant(self, question: Question, shown: Sequence[Choice], typed: str) -> str | None:
        """Return the answer that was typed; None where it narrows the list."""
        if not typed and question.default is not None:
            return question.default
        if typed.isascii() and typed.isdecimal() and 1 <= int(typed) <= len(shown):
            return shown[int(typed) - 1].value
        if typed in {each.value for each in question.choices}:
            return typed
        matching = any(each.matches(typed) for each in question.choices)
        return None if matching else typed

    def _show(self, choices: Sequence[Choice], start: int) -> None:
        table = Table.grid(padding=(0, 2))
        for _ in range(2):
            # What is picked is never cut; what tells it apart may be.
            table.add_column(no_wrap=True)
        page = choices[start : start + PAGE] if start >= 0 else ()
        for number, choice in enumerate(page, start + 1):
            details = (Text(each, style="quiet") for each in choice.details)
            table.add_row(f"  {number}", Text(choice.value), *details)
        if page:
            self._console.print(table)
        if (more := len(choices) - start - PAGE) > 0:
            lines = counted(more, "more line" if page else "line")
            words = f"{lines}: {_MORE} shows them, a word narrows the list"
            self._console.print(Text(f"  {words}", style="quiet"))

    def _read(self, question: Question, shown: Sequence[Choice]) -> str:
        what = "A number, or the answer" if shown else "Answer"
        if len(shown) > PAGE:
            what = f"A number, a word to look for, {_MORE} for more"
        default = f" [{question.default}]" if question.default is not None else ""
        try:
            typed = self._console.input(Text(f"{what}{default}: "))
        except UnicodeDecodeError:
            self._console.print(Text("That is no UTF-8 text.", style="bad"))
            return self._read(question, shown)
        except (EOFError, KeyboardInterrupt):
            self._console.print()
            raise Interrupted("Interrupted: nothing was written.") from None
        return typed.strip()


def show_differences(console: Console, differences: Sequence[Difference]) -> None:
    """Print each difference as a list: what is, what it becomes, and what to make of it."""
    for area, listed in groupby(differences, key=lambda each: each.area):
        print_lines(console, [Line(Text(area.upper(), style="quiet"))])
        for each in listed:
            print_lines(console, _difference_lines(each))


def _difference_lines(difference: Difference) -> Iterator[Line]:
    yield Line(Text.assemble((difference.title, "bold"), "  ", (difference.id, "quiet")), _INDENT)
    for label, text in (
        ("documented", difference.documented),
        ("hardened", difference.hardened),
        ("risk", difference.risk),
        ("reason", difference.reason),
        ("way back", difference.back),
        ("module", "" if difference.module == "same" else difference.module),
    ):
        if text:
            head = f"{'':{_INDENT}}{label:<{_LABEL}}"
            yield Line(Text.assemble((head, "quiet"), text), len(head))
    yield Line(Text())
