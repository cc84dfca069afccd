"""`biomodal-aws demo`."""

from __future__ import annotations

import os
import sys
import tempfile
from functools import partial
from pathlib import Path

from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.render import message_console
from biomodal_deploy.cli.render.progress import show_command, show_step, show_summary
from biomodal_deploy.cli.session import emit
from biomodal_deploy.errors import EXIT_DONE, EXIT_ENGINE, UsageError
from biomodal_deploy.sandbox import Sandbox
from biomodal_deploy.sandbox.demo import STACK, STACKS, STEPS, Rehearsal, StepResult, timed
from biomodal_deploy.workflow.init.project import rehearsal_project
from biomodal_deploy.workflow.location import project_folder


def demo(project_dir: opt.ProjectDir = opt.HERE, output: opt.OutputFormat = opt.Format.TEXT) -> int:
    """Rehearse the whole job on a sandboxed AWS account.

    Real Terraform, the real AWS provider, and the commands that you would type; nothing of yours is
    touched, and no AWS account is needed. Works in any folder; in a project it takes that one's
    start-up script. Takes about three minutes. Exit status 0 only if every step held. `smoke`
    is one where Docker, or podman at DOCKER_HOST, has its image already, and is skipped elsewhere.

    Example: biomodal-aws demo
    """
    project = project_folder(project_dir)
    if not project.is_dir():
        raise UsageError(
            "no such folder",
            field="--project-dir",
            value=str(project_dir),
            fix="correct it, or leave it out",
        )
    screen = message_console()
    results: list[StepResult] = []
    with tempfile.TemporaryDirectory(prefix="biomodal-aws-demo-") as name:
        folder = Path(name)
        rehearsal_project(project, folder, STACK, STACKS)
        screen.print("Starting an AWS account on loopback ...")
        with Sandbox.start() as sandbox:
            screen.print(f"It answers at {sandbox.endpoint}; no real account is used.")
            rehearsal = Rehearsal(
                folder,
                sandbox,
                os.environ,
                lambda command: show_command(screen, command),
                # Standard output is for the one object then.
                sys.stderr if output is opt.Format.JSON else None,
            )
            for number, (title, step) in enumerate(STEPS, start=1):
                show_step(screen, number, len(STEPS), title)
                results.append(timed(title, partial(step, rehearsal)))
                if not results[-1].ok:
                    break
    held = len(results) == len(STEPS) and results[-1].ok
    return emit(
        results,
        lambda console: show_summary(console, results, len(STEPS)),
        output,
        EXIT_DONE if held else EXIT_ENGINE,
    )
