"""A check: a small function with a name, and what it is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from biomodal_deploy.aws.answers import Answer, Finding, Layer, cannot_tell, failed
from biomodal_deploy.aws.preflight.facts import Facts


@dataclass(frozen=True)
class Check:
    """One question to the account.

    Attributes:
        name: A stable word, a contract with whoever reads the JSON.
        layer: What it is about.
        title: What is checked, for people.
        look: Asks and answers; what it raises is turned into "cannot tell".
        quick: Whether `plan` asks it too.
        essential: Whether no answer in time is a failure: nothing else is worth anything then.
    """

    name: str
    layer: Layer
    title: str
    look: Callable[[Facts], Answer]
    quick: bool = False
    essential: bool = False

    def found(self, answer: Answer) -> Finding:
        """Return an answer as this check's finding."""
        return Finding(self.name, self.layer, self.title, answer)

    def unanswered(self, seconds: float) -> Finding:
        """Return the finding where AWS took longer than this to answer."""
        answer = failed if self.essential else cannot_tell
        fix = "run it again; the network or AWS is slow"
        return self.found(answer(f"no answer from AWS in {seconds:g} seconds", fix))
