"""Policies and what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from biomodal_deploy.cli.render.console import Line, message_console, print_exactly, print_lines
from biomodal_deploy.iam.check import Fault, Finding, short
from biomodal_deploy.iam.formats import combined
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
        _note("warning", f"{address}: what it needs is not known, and not in the policy")


def show_unbounded(roles: Sequence[str]) -> None:
    """Warn that a policy equals an administrator's: nothing bounds what its roles may become."""
    if roles:
        names = ", ".join(role.rpartition("/")[2] for role in roles)
        _note(
            "warning",
            "this policy equals administrator: its holder can write any permission into "
            f"{names} and start a VM with it\n"
            "fix: set permissions_boundary_arn, which the native hardened profile has",
        )


def show_findings(console: Console, findings: Sequence[Finding]) -> None:
    """Print findings, a list for each kind."""
    if not findings:
        console.print(Text("Nothing is missing, unknown or broader than needed", style="good"))
    for fault, (heading, style) in _HEADINGS.items():
        of_kind = [each for each in findings if each.fault is fault]
        if not of_kind:
            continue
        console.print(Text(f"{heading} ({len(of_kind)})", style=style))
        for each in of_kind:
            phases = f" ({', '.join(each.phases)})" if each.phases else ""
            print_lines(console, [Line(Text(f"  {each.action}{phases}"), 4)])
            details = [Text(short(resource)) for resource in each.resources]
            if each.detail:
                details.append(Text(each.detail, style="quiet"))
            print_lines(console, [Line(Text("    ").append_text(line), 4) for line in details])


def show_given(given: Sequence[tuple[VmPolicy, Sequence[Finding]]]) -> None:
    """Print the VM's policy, one document, and on standard error what is wrong with it."""
    print_exactly(json.dumps(combined([each.document for each, _ in given]), indent=2) + "\n")
    console = message_console()
    for policy, findings in given:
        console.print(Text(f"{policy.address}: {counted(len(findings), 'finding')}"))
        show_findings(console, findings)


def show_parts(sizes: Sequence[int]) -> None:
    """Say that a policy that is printed whole is longer than IAM lets a managed one be."""
    if len(sizes) > 1:
        _note(
            "note",
            f"one document, and IAM takes it in {len(sizes)} managed policies: --format aws-cli"
            " or --format terraform makes them",
        )


def _note(word: str, text: str) -> None:
    line = Text(f"{word}: ", style="warning").append(text, style="default")
    message_console().print(line)
