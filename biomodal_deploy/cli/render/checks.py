"""Findings of checks in one table, the preflight's report, and the commands for what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.text import Text

from biomodal_deploy.aws.checks import CheckData, Progress, ReportData, Verdict
from biomodal_deploy.aws.preflight.prerequisites import Step
from biomodal_deploy.cli.render.console import can_redraw

_MARKS: Final = {
    Verdict.PASS: ("pass", "good"),
    Verdict.FAIL: ("FAIL", "bad"),
    Verdict.WARNING: ("warning", "warning"),
    Verdict.UNKNOWN: ("unknown", "warning"),
}
_NOT_YET: Final = ("not yet", "warning")
_WIDTH: Final = 12
_COUNTED: Final = (
    (Verdict.PASS, "passed"),
    (Verdict.FAIL, "failed"),
    (Verdict.WARNING, "with a warning"),
    (Verdict.UNKNOWN, "unknown"),
)


def show_findings(console: Console, findings: Sequence[CheckData]) -> None:
    """Print every finding with its fix, layer by layer where they have layers."""
    width = max((len(finding.title) for finding in findings), default=0)
    shown: set[str] = set()
    for layer, group in groupby(findings, key=lambda finding: finding.layer):
        if layer:
            console.print(Text(str(layer), style="bold"))
        for finding in group:
            for line in _lines(finding, width, shown):
                # A terminal may wrap it; we must not, or a command could not be copied whole.
                console.print(line, soft_wrap=True)


def counted_findings(findings: Sequence[CheckData]) -> list[str | tuple[str, str]]:
    """Return how many passed, failed and so on, as parts of a styled line."""
    waits = sum(finding.under_way for finding in findings)
    counts = [
        (sum(f.verdict is verdict and not f.under_way for f in findings), word, _MARKS[verdict][1])
        for verdict, word in _COUNTED
    ]
    parts: list[str | tuple[str, str]] = []
    for number, word, style in (*counts, (waits, *_NOT_YET)):
        if number:
            parts += [*([", "] if parts else []), (f"{number} {word}", style)]
    return parts


def _lines(finding: CheckData, width: int, shown: set[str]) -> Iterator[Text]:
    mark, style = _NOT_YET if finding.under_way else _MARKS[finding.verdict]
    title = f"{finding.title:<{width}}  "
    yield Text.assemble("  ", (mark.ljust(_WIDTH), style), title, finding.line)
    # Where the network is down, thirty checks have one cause: its fix is read once.
    if finding.fix and finding.fix not in shown:
        shown.add(finding.fix)
        yield Text.assemble(" " * (2 + _WIDTH), ("fix: ", "quiet"), finding.fix)


class PreflightProgress:
    """A bar that fills as checks end: on a terminal only, and gone afterwards."""

    def __init__(self, console: Console) -> None:
        self._bar = Bar(
            TextColumn("Asking AWS"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("[quiet]{task.description}"),
            console=console,
            transient=True,
            disable=not can_redraw(console),
        )
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, progress: Progress) -> None:
        """Show one check that has ended."""
        self._bar.update(
            self._task,
            completed=progress.done,
            total=progress.total,
            description=progress.finding.title,
        )


def show_report(console: Console, report: ReportData) -> None:
    """Print every finding with its fix, and how many passed."""
    show_findings(console, report.checks)
    quick = "quick " if report.quick else ""
    line = f"{len(report.checks)} {quick}checks in {report.seconds:.1f} s: "
    console.print(Text.assemble(line, *counted_findings(report.checks)), soft_wrap=True)


def show_prerequisites(
    console: Console, findings: Sequence[CheckData], missing: Sequence[Step], region: str
) -> None:
    """Print the commands that create what is missing, as a script: all else is a comment."""
    lines = [
        f"# {finding.title}: {finding.line}"
        for finding in findings
        if finding.verdict in (Verdict.PASS, Verdict.UNKNOWN)
    ]
    for step in missing:
        lines += ["", step.command]
    if variables := [step.variable for step in missing if step.variable]:
        width = max(map(len, variables))
        lines += [
            "",
            '# Or with Terraform: in cdktf.json a stack with "bootstrap": "prerequisites",',
            "# and among its variables",
            f'#   {"region":<{width}} = "{region}"',
            *(f"#   {variable:<{width}} = true" for variable in variables),
        ]
    for line in lines:
        console.print(Text(line), soft_wrap=True)
