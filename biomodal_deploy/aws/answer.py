"""What a look at one part of a deployment finds, and the report that all looks make.

The four verdicts are the preflight's. A part that AWS is still making is a warning that passes by
itself: what `--wait` waits for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from biomodal_deploy.aws.preflight import Answer, Verdict
from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS


class NotYet(Answer):
    """An answer that time changes by itself: it is being made, started or installed."""


def not_yet(line: str) -> NotYet:
    """Return the answer that it is under way."""
    return NotYet(Verdict.WARNING, line)


@dataclass(frozen=True)
class Part:
    """One thing to look at.

    Attributes:
        name: A stable word, a contract with whoever reads the JSON.
        title: What is looked at, for people.
        look: Asks and answers.
    """

    name: str
    title: str
    look: Callable[[], Answer]


@dataclass(frozen=True)
class Looked:
    """What was found of one part."""

    part: str
    title: str
    answer: Answer

    @property
    def under_way(self) -> bool:
        """Whether time alone may change it."""
        return isinstance(self.answer, NotYet)

    def as_data(self) -> dict[str, str | bool | None]:
        """Return it as plain JSON values."""
        return {
            "check": self.part,
            "title": self.title,
            "verdict": self.answer.verdict.value,
            "under_way": self.under_way,
            "line": self.answer.line,
            "fix": self.answer.fix,
        }


@dataclass(frozen=True)
class Status:
    """How a deployment is.

    Attributes:
        stack: The deployment.
        region: Its region.
        looked: What was found, part by part.
        waited: Seconds that were waited for it, None where nobody waited.
    """

    stack: str
    region: str
    looked: tuple[Looked, ...]
    waited: float | None = None

    @property
    def ready(self) -> bool:
        """Whether all is well; what nobody could tell is not."""
        return all(each.answer.verdict is Verdict.PASS for each in self.looked)

    @property
    def under_way(self) -> bool:
        """Whether it may still become ready by itself, and nothing has failed."""
        return self.count(Verdict.FAIL) == 0 and any(each.under_way for each in self.looked)

    @property
    def exit_status(self) -> int:
        """The exit status that it stands for."""
        return EXIT_DONE if self.ready else EXIT_FINDINGS

    def count(self, verdict: Verdict) -> int:
        """Return how many parts came to a verdict."""
        return Counter(each.answer.verdict for each in self.looked)[verdict]

    def as_data(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {
            "stack": self.stack,
            "region": self.region,
            "ready": self.ready,
            "under_way": self.under_way,
            "waited_seconds": None if self.waited is None else round(self.waited, 1),
            "counts": {verdict.value: self.count(verdict) for verdict in Verdict},
            "checks": [each.as_data() for each in self.looked],
        }
