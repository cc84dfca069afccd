"""What a check answers, and the report that all answers make."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS


class Verdict(StrEnum):
    """What a check came to."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    WARNING = "warning"
    CANNOT_TELL = "cannot-tell"


class Layer(StrEnum):
    """What a check is about, in the order in which a deployment depends on it."""

    ACCOUNT = "Account"
    NETWORK = "Network"
    ROLES = "Roles"
    NAMES = "Names"
    MACHINE = "Machine"
    QUOTAS = "Quotas"
    PERMISSIONS = "Permissions"


@dataclass(frozen=True)
class Answer:
    """What a check found.

    Attributes:
        verdict: What it comes to.
        line: What was found, in one line.
        fix: The command or setting that mends it.
    """

    verdict: Verdict
    line: str
    fix: str | None = None


def passed(line: str) -> Answer:
    """Return the answer that all is well."""
    return Answer(Verdict.PASS, line)


def failed(line: str, fix: str) -> Answer:
    """Return the answer that an apply would fail, or what it makes would not work."""
    return Answer(Verdict.FAIL, line, fix)


def warned(line: str, fix: str) -> Answer:
    """Return the answer that an apply works, at a price that the line names."""
    return Answer(Verdict.WARNING, line, fix)


def cannot_tell(line: str, fix: str | None = None) -> Answer:
    """Return the answer that AWS did not say, which is never a pass."""
    return Answer(Verdict.CANNOT_TELL, line, fix)


@dataclass(frozen=True)
class Finding:
    """One check's answer.

    Attributes:
        check: The check's stable word.
        layer: What the check is about.
        title: What is checked, for people.
        answer: What it found.
    """

    check: str
    layer: Layer
    title: str
    answer: Answer

    def as_data(self) -> dict[str, str | None]:
        """Return it as plain JSON values."""
        return {
            "check": self.check,
            "layer": self.layer.value,
            "title": self.title,
            "verdict": self.answer.verdict.value,
            "line": self.answer.line,
            "fix": self.answer.fix,
        }


@dataclass(frozen=True)
class Report:
    """All findings, in the order of the checks.

    Attributes:
        findings: One for each check that was asked for.
        quick: Whether only the quick checks were.
        seconds: How long it took.
    """

    findings: tuple[Finding, ...]
    quick: bool
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether a check failed."""
        return self.count(Verdict.FAIL) > 0

    @property
    def exit_status(self) -> int:
        """The exit status that the report stands for."""
        return EXIT_FINDINGS if self.failed else EXIT_DONE

    def count(self, verdict: Verdict) -> int:
        """Return how many checks came to a verdict."""
        return Counter(finding.answer.verdict for finding in self.findings)[verdict]

    def as_data(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {
            "quick": self.quick,
            "seconds": round(self.seconds, 1),
            "counts": {verdict.value: self.count(verdict) for verdict in Verdict},
            "checks": [finding.as_data() for finding in self.findings],
        }
