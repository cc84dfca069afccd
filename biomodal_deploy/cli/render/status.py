"""How a stack is: one table, one verdict."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from biomodal_deploy.cli.next_steps import completed
from biomodal_deploy.cli.render.checks import counted_findings, show_findings
from biomodal_deploy.text import counted
from biomodal_deploy.vm.status import Status


def show_status(console: Console, status: Status) -> None:
    """Print every finding with its fix, and the verdict."""
    console.print(Text(f"{status.stack}", style="bold").append(f"  {status.region}", style="quiet"))
    show_findings(console, status.findings)
    console.print(_verdict(status), soft_wrap=True)


def _verdict(status: Status) -> Text:
    if status.ready:
        return Text(f"Ready: all {len(status.findings)} checks passed.", style="good")
    wrong = [each for each in status.findings if each.under_way or not each.passed]
    words = Text.assemble(*counted_findings(wrong)).plain
    of_all = f"of {counted(len(status.findings), 'check')}"
    if not status.under_way:
        return Text(f"Needs attention: {words} {of_all}.", style="warning")
    if status.waited is not None:
        waited = f"after {status.waited:.0f} s"
        return Text(f"Not ready {waited}: {words} {of_all}.", style="warning")
    advice = completed(f"biomodal-aws status --wait --stack {status.stack} waits for it.")
    return Text(f"Not ready yet: {words} {of_all}. {advice}", style="warning")
