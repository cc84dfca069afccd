"""`biomodal-aws smoke`."""

from __future__ import annotations

from typing import Annotated

import typer

from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.render.checks import show_smoke
from biomodal_deploy.cli.session import emit, session
from biomodal_deploy.vm.smoke.run import SmokeRequest, smoke_of
from biomodal_deploy.workflow.stack import last_stack


def smoke(
    image: Annotated[
        str | None,
        typer.Option(
            "--image",
            help="The job's container image, with python3 in it; otherwise a small public one.",
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, help="Seconds to wait for the job at most.")
    ] = 900,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Run one tiny job, and name the layer that is broken.

    From the queue over host, image, credentials and bucket to the log. It says beforehand what it
    costs, a few cents at most, asks nothing, and removes all that it makes: a job, its definition,
    and one small object below nf-work/ in the bucket. So it does after Ctrl-C and kill. What was
    not reached is unknown, never a pass. Exit status 0 if all layers work, otherwise 2.

    Example: biomodal-aws smoke
    """
    request = SmokeRequest(image=image, timeout_s=timeout)
    with session(project_dir, output) as work:
        found = smoke_of(last_stack(work.location, stack), request, work.on_event)
    return emit(found, lambda console: show_smoke(console, found), output, found.exit_status)
