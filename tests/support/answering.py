"""A person who answers from a list, by the name of the question."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from biomodal_deploy.workflow.init import Question


@dataclass
class Answering:
    """Answers each question as written, and with its default where nothing is written."""

    answers: Mapping[str, str] = field(default_factory=dict)  # answers by question
    asked: list[Question] = field(default_factory=list)  # every question, in order
    warnings: list[str] = field(default_factory=list)  # every line between them

    def ask(self, question: Question) -> str:
        """Answer a question, within its rules."""
        self.asked.append(question)
        answer = self.answers.get(question.name, question.default)
        assert answer is not None, f"{question.name} has no default"
        assert question.rule_broken_by(answer) is None
        return answer

    def warn(self, line: str) -> None:
        """Hear a line."""
        self.warnings.append(line)

    def waiting(self, _what: str) -> AbstractContextManager[None]:
        """Wait."""
        return nullcontext()

    @property
    def names(self) -> list[str]:
        """What was asked for."""
        return [question.name for question in self.asked]

    def question(self, name: str) -> Question:
        """Return a question that was asked."""
        (found,) = [question for question in self.asked if question.name == name]
        return found
