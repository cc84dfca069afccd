"""The VM after a stop or start: its state, what spoke against it, and what costs on."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from biomodal_deploy.aws.commands import START_VM
from biomodal_deploy.cli.render.checks import show_findings
from biomodal_deploy.vm.power import PowerData


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
