"""Questions at a terminal: a list to pick from, narrowed by typing, or a line to fill in."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from biomodal_deploy.cli.render.console import can_redraw
from biomodal_deploy.errors import Interrupted
from biomodal_deploy.text import counted
from biomodal_deploy.workflow.init.question import Choice, Question

PAGE: Final = 15
_MORE: Final = "+"


class Picker:
    """Asks a person, line by line: works over any connection, and with a screen reader.

    Args:
        console: Where to ask; answers come from standard input.
    """

    def __init__(self, console: Console) -> None:
        self._console = console

    def tell(self, line: str) -> None:
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
                        self.tell(f"{answer} is not in the list, and is taken as it is typed")
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
