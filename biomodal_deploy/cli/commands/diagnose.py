"""`biomodal-aws diagnose`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from biomodal_deploy.cli.options import HERE, Format, OutputFormat, ProjectDir, Stack
from biomodal_deploy.cli.render.diagnosis import diagnosis_data, show_diagnosis
from biomodal_deploy.cli.result import Result, emit
from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS
from biomodal_deploy.workflow.diagnosing import diagnose_error

File = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE",
        help="A log or an error of Terraform, AWS, cloud-init, SSH or Nextflow; - for standard "
        "input. The newest failed run of the project where left out.",
    ),
]


def diagnose(
    file: File = None,
    project_dir: ProjectDir = HERE,
    stack: Stack = None,
    output: OutputFormat = Format.TEXT,
) -> int:
    """Name the cause of an error, what mends it, and what next.

    Where a permission is missing, it prints the statement as the deployment's own policy has it.
    What nobody knows stays word for word. Nothing is changed and AWS is not asked. Exit status 0
    where a cause is named, 2 where none is.

    Example: biomodal-aws diagnose apply.log
    """
    found = diagnose_error(project_dir, stack, file)
    return emit(
        Result(
            data=diagnosis_data(found),
            show=lambda console: show_diagnosis(console, found),
            exit_status=EXIT_DONE if found.diagnosis.named else EXIT_FINDINGS,
        ),
        output,
    )
