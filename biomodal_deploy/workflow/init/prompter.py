"""Where the questions of a new stack are asked, and what could not be asked is noted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from biomodal_deploy.workflow.init.answers import Answers, Given, check_value, read_value
from biomodal_deploy.workflow.init.question import Asker, Choice, Question

if TYPE_CHECKING:
    from biomodal_deploy.workflow.init.account import AccountLists, Aws


def nothing() -> None:
    """Return no default: there is no likely answer."""


class Prompter:
    """Asks a person, or notes what is missing.

    Args:
        base: What another stack gives; it stays as it is.
        asker: Asks a person; None where nobody can be asked.
        aws: What there is to pick from; None where nobody can be asked.

    Attributes:
        missing: The options of what is not known, and nobody could be asked for.
    """

    def __init__(self, given: Given, base: Answers, asker: Asker | None, aws: Aws | None) -> None:
        self.given, self.asker, self.aws = given, asker, aws
        self.answers = replace(base, settings=dict(base.settings), values=dict(base.values))
        self.missing: list[str] = []
        self._lists: AccountLists | None = None
        self._opened = False

    def ask(self, question: Question) -> str | None:
        """Return the answer to a question, or None and note that it is missing."""
        if self.asker:
            return self.asker.ask(question)
        self.missing.append(question.name)
        return None

    def pick(self, asker: Asker, name: str, text: str, choices: Sequence[Choice]) -> str:
        """Return one of some choices, the first of them by default."""
        return asker.ask(
            Question(
                name=name,
                text=text,
                check=lambda _: None,
                default=choices[0].value,
                choices=choices,
                closed=True,
            )
        )

    def variable(
        self, name: str, default: Callable[[], str | None], choices: Callable[[], Iterable[Choice]]
    ) -> None:
        """Ask for a variable that has no value yet."""
        if name in self.answers.values:
            return
        variable = self.answers.variables[name]
        if self.asker is None:
            if variable.default is None:
                self.missing.append(self.given.option(name))
            return
        answer = self.asker.ask(
            Question(
                name=name,
                text=variable.description,
                check=lambda text: check_value(variable, text),
                default=default(),
                choices=tuple(choices()),
            )
        )
        # Also where it is the default: the project's terraform.tfvars may say something else.
        self.answers.values[name] = read_value(variable, answer)

    def listed(self, read: Callable[[AccountLists], Iterable[Choice]]) -> Iterable[Choice]:
        """Return one of the account's lists; an empty one where there is none."""
        lists = self.lists()
        return read(lists) if lists else ()

    def lists(self) -> AccountLists | None:
        """Return the account's lists, opened when the first of them is wanted."""
        if self._opened:
            return self._lists
        self._opened = True
        if self.aws:
            self._lists = self.aws.lists(str(self.answers.settings["region"]))
        account = self.answers.settings.get("account")
        if self._lists and account:
            self._lists.keep_to(str(account))
        return self._lists
