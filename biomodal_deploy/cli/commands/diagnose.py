"""`biomodal-aws diagnose`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.render.diagnosis import diagnosis_data, show_diagnosis
from biomodal_deploy.cli.session import emit
from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS
from biomodal_deploy.workflow.diagnosing import diagnose_error

Files = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[FILE]...",
        help="Logs or errors of Terraform, CI, AWS, cloud-init, the journal, SSH or Nextflow; "
        "- for standard input. Default: the newest failed run of the project.",
    ),
]


def diagnose(
    files: Files = None,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Name the cause of an error, its fix, and the next command.

    Where two causes fit equally well, up to three are shown. Where a permission is missing, it
    says whose, and prints the statement if it covers what was refused. Unknown errors are printed
    word for word. Nothing is changed and AWS is not called. Exit status 0 where a cause is named,
    2 where none is or where only an error code was recognized.

    Example: biomodal-aws diagnose apply.log
    """
    found = diagnose_error(project_dir, stack, files or ())
    return emit(
        diagnosis_data(found),
        lambda console: show_diagnosis(console, found),
        output,
        EXIT_DONE if found.diagnosis.certain else EXIT_FINDINGS,
    )
