"""What the smoke job found: one table, one verdict."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from biomodal_deploy.aws.checks import Verdict
from biomodal_deploy.cli.render.checks import show_findings
from biomodal_deploy.vm.smoke.run import SmokeData


def show_smoke(console: Console, found: SmokeData) -> None:
    """Print every layer with its fix, and which is the broken one."""
    console.print(Text(found.stack, style="bold").append(f"  {found.region}", style="quiet"))
    show_findings(console, found.checks)
    console.print(_verdict(found), soft_wrap=True)


def _verdict(found: SmokeData) -> Text:
    if found.works:
        return Text(f"It works: all {len(found.checks)} layers passed.", style="good")
    wrong = [each for each in found.checks if not each.passed]
    first = next((each for each in wrong if each.verdict is Verdict.FAIL), wrong[0])
    style = "bad" if first.verdict is Verdict.FAIL else "warning"
    return Text(f"The first layer that needs attention: {first.title}.", style=style)
