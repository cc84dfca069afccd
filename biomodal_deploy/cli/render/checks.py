"""Findings of checks: the preflight, the stack, jobs, the smoke job, the VM stopped or started."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.text import Text

from biomodal_deploy.aws.checks import CheckData, Progress, ReportData, Verdict
from biomodal_deploy.aws.commands import START_VM
from biomodal_deploy.aws.preflight.roles import Step
from biomodal_deploy.cli.next_steps import completed
from biomodal_deploy.cli.render import can_redraw
from biomodal_deploy.text import counted
from biomodal_deploy.vm.jobs import JobsData
from biomodal_deploy.vm.power import PowerData
from biomodal_deploy.vm.smoke.run import SmokeData
from biomodal_deploy.vm.status import StatusData

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


def show_status(console: Console, status: StatusData) -> None:
    """Print every finding with its fix, and the verdict."""
    console.print(Text(f"{status.stack}", style="bold").append(f"  {status.region}", style="quiet"))
    show_findings(console, status.checks)
    console.print(_verdict(status), soft_wrap=True)


def _verdict(status: StatusData) -> Text:
    if status.ready:
        return Text(f"Ready: all {len(status.checks)} checks passed.", style="good")
    wrong = [each for each in status.checks if each.under_way or not each.passed]
    words = Text.assemble(*counted_findings(wrong)).plain
    of_all = f"of {counted(len(status.checks), 'check')}"
    if not status.under_way:
        return Text(f"Needs attention: {words} {of_all}.", style="warning")
    if status.waited_seconds is not None:
        waited = f"after {status.waited_seconds:.0f} s"
        return Text(f"Not ready {waited}: {words} {of_all}.", style="warning")
    advice = completed(f"biomodal-aws status --wait --stack {status.stack} waits for it.")
    return Text(f"Not ready yet: {words} {of_all}. {advice}", style="warning")


def show_jobs(console: Console, found: JobsData) -> None:
    """Print every job that has not ended, and what needs attention."""
    console.print(Text(found.stack, style="bold").append(f"  {found.region}", style="quiet"))
    now = datetime.now(UTC)
    for job in found.jobs:
        minutes = max(0, int((now - job.since).total_seconds() // 60))
        age = f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
        style = "good" if job.state == "RUNNING" else "warning"
        line = Text.assemble("  ", (f"{job.state:<10}", style), f"{age:>12}  ", job.queue, "  ")
        console.print(line.append(job.name), soft_wrap=True)
        if job.reason:
            console.print(Text(f"      why:    {job.reason}"), soft_wrap=True)
        if job.runs:
            cost = "unknown" if job.cost_usd is None else f"at most {job.cost_usd:,.2f} USD so far"
            console.print(Text(f"      cost:   {cost}"), soft_wrap=True)
        console.print(Text(f"      cancel: {job.cancel}", style="quiet"), soft_wrap=True)
    show_findings(console, found.problems)
    states = ", ".join(f"{number} {state}" for state, number in found.counts.items() if number)
    total = counted(len(found.jobs), "job") if found.jobs else "No jobs"
    unknown = any(each.verdict is Verdict.UNKNOWN for each in found.problems)
    where = "in the queues that answered" if unknown else "in the queues"
    console.print(f"{total} {where}{': ' if states else ''}{states}.", soft_wrap=True)
    if any(job.runs for job in found.jobs):
        known = [job.cost_usd for job in found.jobs if job.cost_usd is not None]
        lacking = sum(job.runs and job.cost_usd is None for job in found.jobs)
        words = [f"at most {sum(known):,.2f} USD so far"] if known else []
        words += [f"unknown for {counted(lacking, 'job')}"] if lacking else []
        console.print(f"What runs has cost: {'; '.join(words)}.", soft_wrap=True)


def show_smoke(console: Console, found: SmokeData) -> None:
    """Print every layer with its fix, and which is the broken one."""
    console.print(Text(found.stack, style="bold").append(f"  {found.region}", style="quiet"))
    show_findings(console, found.checks)
    console.print(_broken_layer(found), soft_wrap=True)


def _broken_layer(found: SmokeData) -> Text:
    if found.works:
        return Text(f"It works: all {len(found.checks)} layers passed.", style="good")
    wrong = [each for each in found.checks if not each.passed]
    first = next((each for each in wrong if each.verdict is Verdict.FAIL), wrong[0])
    style = "bad" if first.verdict is Verdict.FAIL else "warning"
    return Text(f"The first layer that needs attention: {first.title}.", style=style)


def show_power(console: Console, found: PowerData) -> None:
    """Print how the VM is, and the next command."""
    console.print(Text(found.stack, style="bold").append(f"  {found.region}", style="quiet"))
    show_findings(console, found.problems)
    if found.problems:
        line = f"Not stopped: {found.instance_id} is {found.state}. To stop it all the same: "
        console.print(Text(f"{line}biomodal-aws vm stop --force", style="warning"), soft_wrap=True)
        return
    done = found.state == found.wanted
    how = f"after {found.waited_seconds:.0f} s" if found.changed or not done else "as before"
    style = "good" if done else "warning"
    console.print(Text(f"{found.instance_id} is {found.state}, {how}", style=style), soft_wrap=True)
    if found.state == "stopped":
        _show_costs(console, found)
    next_step = START_VM if found.state == "stopped" else "biomodal-aws status --wait"
    console.print(f"Next: {next_step}", soft_wrap=True)


def _show_costs(console: Console, found: PowerData) -> None:
    if found.costs is None:
        console.print("Its volumes and its address cost on; AWS did not say which there are.")
        return
    for each in found.costs:
        amount = "unknown" if each.amount is None else f"{each.amount:,.2f} USD"
        line = f"  costs on  {each.what} ({each.address}): {amount} a month"
        console.print(Text(line), soft_wrap=True)
