"""`biomodal-aws report`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from biomodal_deploy.cli.options import HERE, Format, OutputFormat, ProjectDir, Stack
from biomodal_deploy.cli.render.reports import report_data, show_report
from biomodal_deploy.cli.result import Result, emit
from biomodal_deploy.workflow.finding import find_bundle
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.reporting import ReportFormat, make_report, save
from biomodal_deploy.workflow.stack import recorded_stack

Bundle = Annotated[
    str | None,
    typer.Argument(
        metavar="BUNDLE",
        help="A sealed plan's id or folder; default: the stack's newest unused one.",
    ),
]


class Written(StrEnum):
    """What a report is written as."""

    MARKDOWN = "md"
    HTML = "html"
    JSON = "json"


def report(
    bundle: Bundle = None,
    format_: Annotated[
        Written,
        typer.Option(
            "--format",
            "-f",
            help="md for a comment on a pull request, html for a page with a picture, json for "
            "programs.",
        ),
    ] = Written.MARKDOWN,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The file to write; default: standard output."),
    ] = None,
    max_bytes: Annotated[
        int,
        typer.Option(
            "--max-bytes",
            min=4_000,
            help="Size limit of Markdown in bytes. The least important is left out first.",
        ),
    ] = 60_000,
    project_dir: ProjectDir = HERE,
    stack: Stack = None,
    output: OutputFormat = Format.TEXT,
) -> int:
    """Write a report of a sealed plan, for its reviewer.

    What blocks it, what is destroyed or replaced with cause and loss, who gains access, what is
    created and updated, and what it was made from. Read from the sealed data, secrets hidden;
    the same sealed plan gives the same bytes. Terraform is not started.

    Example: biomodal-aws report --format html --out report.html
    """
    location = Location.of(project_dir)
    found = find_bundle(location, recorded_stack(location, stack).name, bundle)
    written = make_report(location, found, ReportFormat(format_), most_bytes=max_bytes)
    if out is not None:
        save(written.text, out)
    return emit(
        Result(
            data=report_data(written, out),
            show=lambda console: show_report(console, written, out),
        ),
        output,
    )
