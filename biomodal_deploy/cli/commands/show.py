"""`biomodal-aws show`."""

from __future__ import annotations

from typing import Annotated

import typer

from biomodal_deploy.aws.ledger.model import saved_ledger, saved_leftovers
from biomodal_deploy.cli.options import HERE, Format, Full, OutputFormat, ProjectDir, Stack
from biomodal_deploy.cli.render.bundles import bundle_data, show_bundle
from biomodal_deploy.cli.result import Result, emit
from biomodal_deploy.workflow.finding import find_bundle
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.stack import recorded_stack

Bundle = Annotated[
    str | None,
    typer.Argument(
        metavar="BUNDLE",
        help="A sealed plan's id or folder; the newest unused one of the stack where left out.",
    ),
]


def show(
    bundle: Bundle = None,
    project_dir: ProjectDir = HERE,
    stack: Stack = None,
    full: Full = False,
    output: OutputFormat = Format.TEXT,
) -> int:
    """Print a sealed plan: its changes, guards and expiry.

    What it will do, what the guards say, and how long it is good for; of a destroy plan also what
    the deployment held, and what was left of it. Read from the sealed data, secrets hidden; neither
    Terraform nor AWS is asked.

    Example: biomodal-aws show
    """
    location = Location.of(project_dir)
    found = find_bundle(location, recorded_stack(location, stack).name, bundle)
    plan = found.plan()
    kept = saved_ledger(found.path), saved_leftovers(found.path)
    return emit(
        Result(
            data=bundle_data(found, plan, *kept),
            show=lambda console: show_bundle(console, found, plan, *kept, full=full),
        ),
        output,
    )
