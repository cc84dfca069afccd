"""Policies and what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from biomodal_deploy.cli.render.console import message_console, print_exactly
from biomodal_deploy.iam.check import Fault, Finding, short
from biomodal_deploy.iam.vm import VmPolicy
from biomodal_deploy.text import counted

_HEADINGS: Final = {
    Fault.MISSING: ("Missing", "bad"),
    Fault.DEPENDS: ("Unknown", "warning"),
    Fault.UNKNOWN: ("Unknown to IAM", "bad"),
    Fault.BROADER: ("Broader than needed", "warning"),
}


def show_gaps(gaps: Sequence[str]) -> None:
    """Say of which parts of the stack nothing is known."""
    for address in gaps:
        message_console().print(
            Text("warning: ", style="warning").append(
                f"{address}: what it needs is not known, and not in the policy", style="default"
            )
        )


def show_unbounded(roles: Sequence[str]) -> None:
    """Warn that a policy equals an administrator's: nothing bounds what its roles may become."""
    if roles:
        names = ", ".join(role.rpartition("/")[2] for role in roles)
        message_console().print(
            Text("warning: ", style="warning").append(
                "this policy equals administrator: its holder can write any permission into "
                f"{names} and start a VM with it\n"
                "fix: set permissions_boundary_arn, which the native hardened profile has",
                style="default",
            )
        )


def show_findings(console: Console, findings: Sequence[Finding]) -> None:
    """Print findings, a table for each kind."""
    if not findings:
        console.print(Text("Nothing is missing, unknown or broader than needed", style="good"))
    for fault, (heading, style) in _HEADINGS.items():
        of_kind = [each for each in findings if each.fault is fault]
        if not of_kind:
            continue
        console.print(Text(f"{heading} ({len(of_kind)})", style=style))
        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
        for each in of_kind:
            table.add_row(
                Text(f"  {each.action}"),
                Text(", ".join(map(short, each.resources)), overflow="fold"),
                Text(", ".join(each.phases)),
                Text(each.detail, style="quiet"),
            )
        console.print(table)


def show_given(console: Console, given: Sequence[tuple[VmPolicy, Sequence[Finding]]]) -> None:
    """Print each of the VM's policies, and what is wrong with it."""
    for policy, findings in given:
        print_exactly(json.dumps(policy.document, indent=2) + "\n")
        console.print(Text(f"{policy.address}: {counted(len(findings), 'finding')}"))
        show_findings(console, findings)


def finding_data(findings: Sequence[Finding]) -> list[dict[str, object]]:
    """Return findings as plain data."""
    return [
        {
            "fault": each.fault.value,
            "action": each.action,
            "resources": list(each.resources),
            "phases": list(each.phases),
            "addresses": list(each.addresses),
            "detail": each.detail,
        }
        for each in findings
    ]
