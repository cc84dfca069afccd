"""The preflight's findings, layer by layer, and how far the asking has come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.text import Text

from biomodal_deploy.aws.preflight import Finding, Progress, Report, Verdict
from biomodal_deploy.aws.preflight.prerequisites import Step

_MARKS: Final = {
    Verdict.PASS: ("pass", "good"),
    Verdict.FAIL: ("FAIL", "bad"),
    Verdict.WARNING: ("warning", "warning"),
    Verdict.CANNOT_TELL: ("cannot tell", "warning"),
}
_MARK_WIDTH: Final = 12


class PreflightProgress:
    """A bar that fills as checks end: on a terminal only, and gone afterwards.

    Args:
        console: Where to draw.
    """

    def __init__(self, console: Console) -> None:
        self._bar = Bar(
            TextColumn("Asking AWS"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("[quiet]{task.description}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def __call__(self, progress: Progress) -> None:
        """Take up one check that has ended."""
        self._bar.update(
            self._task,
            completed=progress.done,
            total=progress.total,
            description=progress.finding.title,
        )


def show_report(console: Console, report: Report) -> None:
    """Print every finding with what mends it, and the sum."""
    width = max((len(finding.title) for finding in report.findings), default=0)
    said: set[str] = set()
    for layer, findings in groupby(report.findings, key=lambda finding: finding.layer):
        console.print(Text(layer.value, style="bold"))
        for finding in findings:
            for line in _lines(finding, width, said):
                # A terminal may wrap it; we must not, or a command could not be copied whole.
                console.print(line, soft_wrap=True)
    console.print(_sum(report), soft_wrap=True)


def show_prerequisites(
    console: Console, findings: Sequence[Finding], missing: Sequence[Step], region: str
) -> None:
    """Print the commands that make what is missing, as a script: all else in it is a comment."""
    lines = [
        f"# {finding.title}: {finding.answer.line}"
        for finding in findings
        if finding.answer.verdict in (Verdict.PASS, Verdict.CANNOT_TELL)
    ]
    for step in missing:
        lines += ["", step.command]
    if variables := [step.variable for step in missing if step.variable]:
        width = max(map(len, variables))
        lines += [
            "",
            '# Or with Terraform: in cdktf.json a deployment with "bootstrap": "prerequisites",',
            "# and among its variables",
            f'#   {"region":<{width}} = "{region}"',
            *(f"#   {variable:<{width}} = true" for variable in variables),
        ]
    for line in lines:
        console.print(Text(line), soft_wrap=True)


def _lines(finding: Finding, width: int, said: set[str]) -> Iterator[Text]:
    mark, style = _MARKS[finding.answer.verdict]
    yield Text.assemble(
        "  ",
        (mark.ljust(_MARK_WIDTH), style),
        f"{finding.title:<{width}}  ",
        finding.answer.line,
    )
    fix = finding.answer.fix
    # Where the network is down, thirty checks have one cause: its remedy is read once.
    if fix and fix not in said:
        said.add(fix)
        yield Text.assemble(" " * (2 + _MARK_WIDTH), ("fix: ", "quiet"), fix)


def _sum(report: Report) -> Text:
    words = {
        Verdict.PASS: "passed",
        Verdict.FAIL: "failed",
        Verdict.WARNING: "with a warning",
        Verdict.CANNOT_TELL: "cannot tell",
    }
    parts: list[str | tuple[str, str]] = [
        f"{len(report.findings)} {'quick ' if report.quick else ''}checks in {report.seconds:.1f} s"
    ]
    for verdict, word in words.items():
        if number := report.count(verdict):
            parts += [", " if len(parts) > 1 else ": ", (f"{number} {word}", _MARKS[verdict][1])]
    return Text.assemble(*parts)
