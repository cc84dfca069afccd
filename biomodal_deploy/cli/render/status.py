"""The running stack: its health, its jobs, the smoke job, and the VM stopped or started."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Console
from rich.text import Text

from biomodal_deploy.aws.checks import Verdict
from biomodal_deploy.aws.commands import START_VM
from biomodal_deploy.cli.next_steps import completed
from biomodal_deploy.cli.render.checks import counted_findings, show_findings
from biomodal_deploy.text import counted
from biomodal_deploy.vm.jobs import JobsData
from biomodal_deploy.vm.power import PowerData
from biomodal_deploy.vm.smoke.run import SmokeData
from biomodal_deploy.vm.status import StatusData


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
