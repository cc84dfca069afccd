"""`biomodal-aws plans`."""

from __future__ import annotations

from typing import Annotated

import typer

from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.render import message_console
from biomodal_deploy.cli.render.plans import show_plans
from biomodal_deploy.cli.session import emit, session
from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS, UsageError
from biomodal_deploy.text import counted
from biomodal_deploy.workflow.plans import (
    PlansData,
    delete_plans,
    list_plans,
    pull_plan,
    push_plan,
    stack_meant,
)
from biomodal_deploy.workflow.stack import named_stack, recorded_stack


def plans(
    prune: Annotated[
        bool,
        typer.Option(
            "--prune",
            help="Delete expired plans, and used ones that a later apply has followed, after "
            "listing them and asking. The history stays.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
    push: Annotated[
        str | None,
        typer.Option(
            "--push",
            metavar="PLAN",
            help="Put a sealed plan, by id or path, into the stack's plan_store.",
        ),
    ] = None,
    pull: Annotated[
        str | None,
        typer.Option(
            "--pull", metavar="SHA256", help="Fetch the sealed plan of this digest from there."
        ),
    ] = None,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """List sealed plans: state, age and what each does.

    Every stack's, unless --stack names one. What `apply` would take is `ready`. Where --prune
    can ask nobody and --yes is missing, it lists what it would delete, deletes nothing, and exits
    with status 2. With --push and --pull a plan goes from the machine that plans, by way of S3, to
    the one that applies it, and is the only one listed.

    Example: biomodal-aws plans --prune
    """
    if yes and not prune:
        raise UsageError("only valid with --prune", field="--yes", fix="add --prune")
    if sum((prune, push is not None, pull is not None)) > 1:
        raise UsageError(
            "only one at a time", field="--prune, --push, --pull", fix="drop the others"
        )
    with session(project_dir, output) as work:
        moved = None
        if push is not None:
            meant = stack_meant(work.location, stack, push)
            moved = push_plan(recorded_stack(work.location, meant), push)
        elif pull is not None:
            moved = pull_plan(named_stack(work.location, stack), pull)
        found = list_plans(work.location, moved.manifest.facts.stack if moved else stack)
        if moved:
            found = [each for each in found if each.path == moved.path]
        if prune:
            found = [each for each in found if each.prunable]
        delete = prune and bool(found) and yes
        if prune and found and not yes and output is opt.Format.TEXT and work.can_ask:
            work.progress.pause()
            show_plans(message_console(), found)
            delete = work.ask(f"Delete {counted(len(found), 'plan')}? [y/N] ") in ("y", "yes")
        if delete:
            delete_plans(found)
    pending = prune and bool(found) and not delete
    return emit(
        PlansData(plans=tuple(found), deleted=delete),
        lambda console: show_plans(console, found, prune=prune, deleted=delete),
        output,
        EXIT_FINDINGS if pending else EXIT_DONE,
    )
