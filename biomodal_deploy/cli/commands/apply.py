"""`biomodal-aws apply`."""

from __future__ import annotations

from typing import Annotated

import typer

from biomodal_deploy.cli.commands.show import Bundle
from biomodal_deploy.cli.options import HERE, Confirm, Format, OutputFormat, ProjectDir, Stack


def apply(
    bundle: Bundle = None,
    expect_sha256: Annotated[
        str | None,
        typer.Option(
            "--expect-sha256",
            metavar="DIGEST",
            help="The digest that was approved elsewhere, as `plan` printed it.",
        ),
    ] = None,
    confirm: Confirm = None,
    project_dir: ProjectDir = HERE,
    stack: Stack = None,
    output: OutputFormat = Format.TEXT,
) -> int:
    """Apply a sealed plan, once: exactly what was planned, where it was planned for.

    Takes no variables, they are in the plan. Before anything runs, everything that was sealed is
    computed anew; any difference is named and refused with exit status 4. Where something that
    exists would be lost, the stack's name has to be typed, or given with --confirm.

    Example: biomodal-aws apply --expect-sha256 9f2c...
    """
    from biomodal_deploy.cli.asking import asking
    from biomodal_deploy.cli.result import Result, emit
    from biomodal_deploy.cli.session import session
    from biomodal_deploy.screen.applies import applied_data, show_applied
    from biomodal_deploy.workflow.applying import apply_bundle
    from biomodal_deploy.workflow.finding import find_bundle
    from biomodal_deploy.workflow.stack import last_stack

    with session(project_dir, output) as work:
        chosen = last_stack(work.location, stack)
        done = apply_bundle(
            chosen,
            find_bundle(work.location, chosen.name, bundle),
            confirm=asking(work, confirm),
            listen=work.listen,
            expect_sha256=expect_sha256,
        )
    return emit(
        Result(data=applied_data(done), show=lambda console: show_applied(console, done)), output
    )
