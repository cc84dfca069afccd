"""The preflight's report, its progress, and the commands for what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.text import Text

from biomodal_deploy.aws.checks import Finding, Progress, Report, Verdict
from biomodal_deploy.aws.preflight.prerequisites import Step
from biomodal_deploy.cli.render.checks import counted_findings, show_findings
from biomodal_deploy.cli.render.console import can_redraw


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
            disable=not can_redraw(console),
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
        """Show one check that has ended."""
        self._bar.update(
            self._task,
            completed=progress.done,
            total=progress.total,
            description=progress.finding.title,
        )


def show_report(console: Console, report: Report) -> None:
    """Print every finding with its fix, and how many passed."""
    show_findings(console, report.findings)
    quick = "quick " if report.quick else ""
    line = f"{len(report.findings)} {quick}checks in {report.seconds:.1f} s: "
    console.print(Text.assemble(line, *counted_findings(report.findings)), soft_wrap=True)


def show_prerequisites(
    console: Console, findings: Sequence[Finding], missing: Sequence[Step], region: str
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
