"""`biomodal-aws synth`."""

from __future__ import annotations

from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.render.project import show_synthesis
from biomodal_deploy.cli.session import emit, session
from biomodal_deploy.workflow.stack import synthesized_stacks


def synth(
    project_dir: opt.ProjectDir = opt.HERE,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Write each stack's Terraform JSON to cdktf.out/stacks.

    Runs the app command of cdktf.json, as `cdktf synth` does.

    Example: biomodal-aws synth
    """
    with session(project_dir, output) as work:
        done = synthesized_stacks(work.location)
    return emit(done, lambda console: show_synthesis(console, done), output)
