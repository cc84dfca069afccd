"""The one frame of all checks of an AWS account: `Check`, its `Finding`, and the report of all.

A check that AWS does not answer has neither passed nor failed: it is unknown, and says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, PlainSerializer, SkipValidation, WithJsonSchema

from biomodal_deploy.aws.clients import WORKERS, Clients, as_finished, open_clients, within
from biomodal_deploy.aws.errors import classify_error, one_line
from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS, UsageError
from biomodal_deploy.files import fix_for

_T = TypeVar("_T")

# For one question, each of whose calls is tried three times.
_SECONDS: Final = 60.0


# As programs read them.
Seconds = Annotated[float, PlainSerializer(lambda value: round(value, 1), return_type=float)]


class Verdict(StrEnum):
    """What a check came to."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    WARNING = "warning"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        under_way: Whether time alone may change it: it is being created, started or installed.
    """

    verdict: Verdict
    line: str
    fix: str | None = None
    under_way: bool = False

    @property
    def passed(self) -> bool:
        """Whether all is well."""
        return self.verdict is Verdict.PASS

    def named(self, check: str, title: str, layer: str | None = None) -> CheckData:
        """Return it under a check's name."""
        return CheckData(
            check=check,
            layer=layer,
            title=title,
            verdict=self.verdict,
            under_way=self.under_way,
            line=self.line,
            fix=self.fix,
        )


class CheckData(BaseModel, frozen=True):
    """What one check found.

    Attributes:
        check: Its name.
        layer: What it is about; null where the checks of a command have no groups.
        title: It for people.
        verdict: `pass`, `warning`, `fail` or `unknown`.
        under_way: Whether time alone completes it.
        line: What was found.
        fix: What to do about it.
    """

    check: str
    layer: str | None
    title: str
    # No type of its own in the schema.
    verdict: Annotated[
        SkipValidation[Verdict], WithJsonSchema({"type": "string", "title": "Verdict"})
    ]
    under_way: bool
    line: str
    fix: str | None

    @property
    def passed(self) -> bool:
        """Whether all is well."""
        return self.verdict is Verdict.PASS


def passed(line: str) -> Finding:
    """Return the finding that all is well."""
    return Finding(Verdict.PASS, line)


def failed(line: str, fix: str) -> Finding:
    """Return the finding that an apply would fail, or that something does not work."""
    return Finding(Verdict.FAIL, line, fix)


def warned(line: str, fix: str) -> Finding:
    """Return the finding that it works, at a price that the line names."""
    return Finding(Verdict.WARNING, line, fix)


def unknown(line: str, fix: str | None = None) -> Finding:
    """Return the finding that AWS did not answer, which is never a pass."""
    return Finding(Verdict.UNKNOWN, line, fix)


def not_yet(line: str) -> Finding:
    """Return the finding that it is under way: a warning that passes by itself."""
    return Finding(Verdict.WARNING, line, under_way=True)


@dataclass(frozen=True)
class Check:
    """One question to the account.

    Attributes:
        run: Asks AWS; whatever it raises becomes an unknown finding.
        quick: Whether `plan` asks it too.
        essential: Whether no answer in time is a failure: nothing else is worth anything then.
    """

    name: str
    title: str
    run: Callable[[], Finding]
    layer: str | None = None
    quick: bool = False
    essential: bool = False

    def finding(self, result: Finding | Unavailable) -> CheckData:
        """Return what was found under this check's name; it is unknown where AWS did not say."""
        if isinstance(result, Unavailable):
            late = self.essential and result.timed_out
            verdict = Verdict.FAIL if late else Verdict.UNKNOWN
            result = Finding(verdict, result.line, result.fix)
        return result.named(self.name, self.title, self.layer)


def count_verdicts(findings: Iterable[CheckData]) -> dict[str, int]:
    """Return how many checks came to each verdict."""
    counts = Counter(finding.verdict for finding in findings)
    return {verdict.value: counts[verdict] for verdict in Verdict}


class ReportData(BaseModel, frozen=True):
    """What the checks of the account found.

    Attributes:
        quick: Whether only the quick ones ran.
        seconds: How long they took.
        counts: How many of each verdict.
        checks: Each check.
    """

    quick: bool
    seconds: Seconds
    counts: dict[str, int]
    checks: tuple[CheckData, ...]

    @classmethod
    def of(
        cls, checks: Sequence[CheckData], *, quick: bool = False, seconds: float = 0.0
    ) -> ReportData:
        """Return the report of all checks, in their order."""
        counts = count_verdicts(checks)
        return cls(quick=quick, seconds=seconds, counts=counts, checks=tuple(checks))

    @property
    def failed(self) -> bool:
        """Whether a check failed."""
        return self.counts[Verdict.FAIL] > 0

    @property
    def exit_status(self) -> int:
        """The exit status that the report stands for."""
        return EXIT_FINDINGS if self.failed else EXIT_DONE


@dataclass(frozen=True)
class Progress:
    """One check has ended."""

    finding: CheckData
    done: int
    total: int


class Unavailable(Exception):
    """There is no answer: AWS gives none, or what was asked about is missing."""

    def __init__(self, line: str, fix: str | None = None, *, timed_out: bool = False) -> None:
        super().__init__(line)
        self.line, self.fix, self.timed_out = line, fix, timed_out


def run_checks(
    checks: Sequence[Check],
    clients: Clients,
    seconds: float,
    on_progress: Callable[[Progress], None] | None = None,
) -> tuple[CheckData, ...]:
    """Run all checks at once; return a finding for each, in their order.

    Args:
        on_progress: Called in this thread for each check that ends in time.
    """
    found: dict[int, CheckData] = {}
    for number, result in run_all([check.run for check in checks], clients, seconds):
        found[number] = checks[number].finding(result)
        if on_progress:
            on_progress(Progress(found[number], len(found), len(checks)))
    return tuple(found[number] for number in range(len(checks)))


def run_all(
    jobs: Sequence[Callable[[], _T]], clients: Clients, seconds: float
) -> Iterator[tuple[int, _T | Unavailable]]:
    """Ask all at once; yield each job's number and result, those that are late at the end."""
    waiting = set(range(len(jobs)))
    for number, outcome in as_finished(jobs, workers=WORKERS, seconds=seconds):
        waiting.discard(number)
        try:
            yield number, outcome.result()
        except Exception as error:  # noqa: BLE001 - one that breaks leaves the others whole
            yield number, _unavailable(error, clients)
    line, fix = f"no answer from AWS in {seconds:g} seconds", "run it again; the network is slow"
    for number in sorted(waiting):
        yield number, Unavailable(line, fix, timed_out=True)


def ask_once(region: str, ask: Callable[[Clients], _T]) -> _T:
    """Return what AWS says, where the work can go on without it.

    Raises:
        Unavailable: It cannot be asked, or does not answer.
    """
    try:
        clients = open_clients(region)
        return within(_SECONDS, lambda: ask(clients))
    except (BotoCoreError, ClientError, UsageError) as error:
        raise Unavailable(str(error)) from error


def _unavailable(error: Exception, clients: Clients) -> Unavailable:
    if isinstance(error, Unavailable):
        return error
    if isinstance(error, BotoCoreError | ClientError):
        failure = classify_error(error, clients)
        return Unavailable(failure.line, failure.fix)
    if isinstance(error, OSError) and (fix := fix_for(error, None)):
        return Unavailable(f"{error.strerror} on this machine", fix)
    # An answer of AWS that nobody has seen before.
    line = f"the check itself failed ({type(error).__name__}: {one_line(str(error))})"
    return Unavailable(line, "report it as a bug of biomodal-aws")
