"""`biomodal-aws lock`."""

from __future__ import annotations

from typing import Annotated

import typer

from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.render.project import show_locks
from biomodal_deploy.cli.session import emit, session
from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS
from biomodal_deploy.workflow.locking import checked_platforms, refresh_lock
from biomodal_deploy.workflow.stack import fresh_stacks


def lock(
    platform: Annotated[
        list[str] | None,
        typer.Option(
            "--platform",
            metavar="OS_ARCH",
            help="A platform to lock providers for. Repeatable; default: Linux and macOS on "
            "amd64 and arm64.",
        ),
    ] = None,
    upgrade: Annotated[
        bool,
        typer.Option("--upgrade", help="Take the newest providers that the configuration allows."),
    ] = False,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: Annotated[
        str | None,
        typer.Option("--stack", envvar="BIOMODAL_STACK", help="One stack; default: all."),
    ] = None,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Write the provider lock files in locks/.

    They name the providers for every platform that a team works on. Commit them: a plan takes
    exactly those, and a CI job (CI=true) takes no others. Exit status 2 where a platform's
    providers were unavailable, as from a mirror that holds only one platform.

    Example: biomodal-aws lock --platform linux_amd64 --platform darwin_arm64
    """
    platforms = checked_platforms(platform)
    with session(project_dir, output) as work:
        locked = [
            refresh_lock(each, platforms, upgrade=upgrade)
            for each in fresh_stacks(work.location, stack)
        ]
    return emit(
        locked,
        lambda console: show_locks(console, locked),
        output,
        EXIT_FINDINGS if any(each.missing for each in locked) else EXIT_DONE,
    )
