"""A report on standard output, or where it was written to."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console

from biomodal_deploy.cli.render.console import print_exactly
from biomodal_deploy.workflow.reporting import ReportFormat, Written


def show_report(console: Console, written: Written, out: Path | None) -> None:
    """Print a report as it is, or one line where it went to a file."""
    if out is None:
        print_exactly(written.text)
        return
    verdict = written.report.verdict
    console.print(f"{out}  {len(written.text.encode()):,} bytes", markup=False)
    console.print(verdict.line, markup=False)


def report_data(written: Written, out: Path | None) -> dict[str, object]:
    """Return a report for programs; the text itself only where no file has it."""
    content: object = None
    if out is None:
        is_json = written.format is ReportFormat.JSON
        content = json.loads(written.text) if is_json else written.text
    return {
        "bundle": written.report.bundle,
        "sha256": written.report.sha256,
        "verdict": written.report.verdict.model_dump(mode="json"),
        "format": str(written.format),
        "out": None if out is None else str(out),
        "bytes": len(written.text.encode()),
        "content": content,
    }
