"""What Terraform finds in a configuration."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from biomodal_deploy.text import counted
from biomodal_deploy.workflow.reading import Finding


def show_findings(console: Console, stack: str, findings: Sequence[Finding]) -> None:
    """Print each finding with the construct that it comes from."""
    for finding in findings:
        said = finding.diagnostic
        style = "bad" if said.is_error else "warning"
        line = Text(f"{said.severity}: ", style=style).append(said.summary, style="default")
        line.append(f"  {finding.construct or said.address or ''}", style="quiet")
        console.print(line)
        if said.detail:
            console.print(Text(f"  {said.detail}", style="quiet"))
    errors = sum(finding.diagnostic.is_error for finding in findings)
    console.print(f"{stack}: {counted(errors, 'error')}" if errors else f"{stack} is valid")
