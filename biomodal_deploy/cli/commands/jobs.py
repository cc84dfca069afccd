"""`biomodal-aws jobs`."""

from __future__ import annotations

from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.render.checks import show_jobs
from biomodal_deploy.cli.session import emit, session
from biomodal_deploy.vm.jobs import jobs_of
from biomodal_deploy.workflow.stack import last_stack


def jobs(
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """List the jobs that run or wait in the stack's queues.

    Each with its age, why it waits or what it has cost so far at most, and the command that
    cancels it. Nothing is changed. Exit status 2 if a queue did not answer, or jobs are left while
    the VM, on which Nextflow runs, is stopped or gone.

    Example: biomodal-aws jobs
    """
    with session(project_dir, output) as work:
        found = jobs_of(last_stack(work.location, stack), work.on_event)
    return emit(found, lambda console: show_jobs(console, found), output, found.exit_status)
