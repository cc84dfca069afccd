"""`biomodal-aws show`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from biomodal_deploy.aws.ledger import saved_ledger, saved_leftovers
from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.render import as_text, print_exactly
from biomodal_deploy.cli.render.costs import cost_summary
from biomodal_deploy.cli.render.sealed_plans import show_sealed_plan
from biomodal_deploy.cli.session import emit, meant_plan
from biomodal_deploy.errors import UsageError
from biomodal_deploy.review.alerts import plan_alerts
from biomodal_deploy.review.report.plan_json import plan_data
from biomodal_deploy.workflow.approving import approval_status
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.plans import stack_meant
from biomodal_deploy.workflow.reporting import ReportFormat, make_report, save, save_alerts, text_of
from biomodal_deploy.workflow.stack import recorded_stack

_PAGES = (ReportFormat.MARKDOWN, ReportFormat.HTML)


def show(
    sealed_plan: opt.Plan = None,
    format_: Annotated[
        ReportFormat,
        typer.Option(
            "--format",
            "-f",
            help="text for a terminal, markdown for a comment on a pull request, html for a page "
            "with a picture, json for programs.",
        ),
    ] = ReportFormat.TEXT,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The file to write; default: standard output."),
    ] = None,
    full: opt.Full = False,
    max_bytes: Annotated[
        int,
        typer.Option(
            "--max-bytes",
            min=4_000,
            help="Size limit of Markdown in bytes. The least important is left out first.",
        ),
    ] = 60_000,
    sarif: opt.Sarif = None,
    junit: opt.Junit = None,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Print a sealed plan, or write it as a report.

    What is destroyed or replaced, and why; who gains access; what is created and updated; what the
    guards say, and how long it is good for. Of a destroy plan also what the stack held, and
    what was left of it. Read from the sealed data, secrets hidden; neither Terraform nor AWS is
    asked.

    Example: biomodal-aws show --format html --out report.html
    """
    if output is opt.Format.JSON and format_ in _PAGES and out is None:
        raise UsageError(
            f"cannot be used with --format {format_}",
            field="--output json",
            fix="leave one of them out, or name a file with --out",
        )
    location = Location.of(project_dir)
    meant = stack_meant(location, stack, sealed_plan)
    chosen = recorded_stack(location, meant)
    found = meant_plan(location, chosen.name, sealed_plan, meant)

    def on(console: Console) -> None:
        kept = saved_ledger(found.path), saved_leftovers(found.path)
        plan = found.plan()
        cost = cost_summary(plan, found.manifest, location.project_dir)
        approvals = approval_status(location, found)
        show_sealed_plan(console, found, plan, *kept, full=full, cost=cost, approvals=approvals)

    files = sarif or junit
    if format_ is ReportFormat.TEXT and output is opt.Format.TEXT and out is None and not files:
        return emit(None, on, output)
    report = make_report(location, found)
    if files:
        alerts = plan_alerts(report, found.manifest.verdicts)
        save_alerts(f"plan of {report.stack}", alerts, sarif, junit)
    if format_ is ReportFormat.TEXT:
        text = as_text(on)
    else:
        text = text_of(report, found, format_, max_bytes)
    if out is not None:
        save(text, out)
    line = f"{out}  {len(text.encode()):,} bytes\n{report.verdict.line}\n"
    return emit(
        plan_data(found, report), lambda _: print_exactly(text if out is None else line), output
    )
