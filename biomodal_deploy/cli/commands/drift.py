"""`biomodal-aws drift`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from biomodal_deploy.cli.options import (
    HERE,
    Format,
    NoCache,
    OutputFormat,
    ProjectDir,
    Stack,
    VarFiles,
    Variables,
)
from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS


def drift(
    var_file: VarFiles = None,
    var: Variables = None,
    project_dir: ProjectDir = HERE,
    stack: Stack = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show what AWS filled in by itself as well.")
    ] = False,
    no_cache: NoCache = False,
    output: OutputFormat = Format.TEXT,
) -> int:
    """Show what changed outside Terraform since the last apply; nothing is changed or kept.

    That is: objects that are gone, tags, whatever the configuration sets, and access that was
    given by hand. What AWS fills in by itself is shown with --verbose. Exit status 0 without
    drift, 2 with drift.

    Example: biomodal-aws drift
    """
    from biomodal_deploy.cli.result import Result, emit
    from biomodal_deploy.cli.session import session
    from biomodal_deploy.screen.drifts import drift_data, show_drift
    from biomodal_deploy.workflow.drifting import find_drift
    from biomodal_deploy.workflow.stack import fresh_stack

    with session(project_dir, output) as work:
        chosen = fresh_stack(work.location, stack, work.listen, use_cache=not no_cache)
        plan = find_drift(
            chosen,
            var_files=var_file or (),
            variables=var or (),
            cwd=Path.cwd(),
            listen=work.listen,
        )
    return emit(
        Result(
            data=drift_data(chosen.name, plan),
            show=lambda console: show_drift(console, chosen.name, plan, verbose=verbose),
            exit_status=EXIT_FINDINGS if plan.drifted else EXIT_DONE,
        ),
        output,
    )
