"""`biomodal-aws apply`."""

from __future__ import annotations

from typing import Annotated

import typer

from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.applying import apply_asking
from biomodal_deploy.cli.render.applies import applied_data, show_applied
from biomodal_deploy.cli.render.sets import describe_apply
from biomodal_deploy.cli.session import emit, meant_plan, session
from biomodal_deploy.cli.sets import SetRun, apply_set
from biomodal_deploy.errors import UsageError
from biomodal_deploy.workflow.plans import stack_meant
from biomodal_deploy.workflow.sets.choosing import is_set
from biomodal_deploy.workflow.stack import last_stack

SealedPlans = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PLAN...",
        help="A sealed plan's id or folder; default: the stack's newest unused one. Repeatable.",
    ),
]
Confirms = Annotated[
    list[str] | None,
    typer.Option(
        "--confirm",
        metavar="STACK",
        help="The stack's name, where there is no terminal to type it at. Repeatable for a set.",
    ),
]


def apply(
    sealed_plan: SealedPlans = None,
    expect_sha256: Annotated[
        list[str] | None,
        typer.Option(
            "--expect-sha256",
            metavar="DIGEST",
            help="The digest that was approved elsewhere, as `plan` printed it. Repeatable for a "
            "set: then exactly those plans, or none.",
        ),
    ] = None,
    chosen_sha256: Annotated[
        str | None,
        typer.Option(hidden=True, help="The digest of the plan that a set chose; no approval."),
    ] = None,
    confirm: Confirms = None,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stacks = None,
    every: opt.Every = False,
    jobs: opt.Jobs = None,
    output: opt.OutputFormat = opt.Format.TEXT,
    part: opt.Part = False,
) -> int:
    """Apply a sealed plan, once, exactly as planned.

    And where it was planned for: variables are in the plan. Before anything runs, everything that
    was sealed is computed again; any difference is named and refused with exit status 4. Where
    something that exists would be lost, the stack's name has to be typed, or given with --confirm.

    Of a set (several PLAN, --all, or several in --stack) each is applied so, a few at a time. A
    failure in one leaves the others whole; the exit status is the worst. Nobody is asked then,
    and destroy plans are refused.

    Example: biomodal-aws apply --expect-sha256 9f2c...
    """
    names, digests, confirmed = sealed_plan or [], expect_sha256 or [], confirm or []
    if len(names) > 1 or is_set(stack or (), every=every):
        run = SetRun(
            command="apply",
            describe=describe_apply,
            project_dir=project_dir,
            output=output,
            jobs=jobs,
        )
        return apply_set(run, names, stack or [], every=every, digests=digests, confirm=confirmed)

    if len(digests) > 1:
        raise UsageError("One plan has one digest", field="--expect-sha256", fix="give it once")
    with session(project_dir, output, part=part) as work:
        named = next(iter(names), None)
        meant = stack_meant(work.location, opt.only(stack), named)
        chosen = last_stack(work.location, meant)
        name = chosen.name if chosen.name in confirmed else next(iter(confirmed), None)
        found = meant_plan(work.location, chosen.name, named, meant)
        if chosen_sha256:
            found.require(chosen_sha256)
        done = apply_asking(
            work,
            chosen,
            found,
            name=name,
            expect_sha256=next(iter(digests), None),
            announce=output is opt.Format.TEXT and not part,
        )
    return emit(applied_data(done), lambda console: show_applied(console, done), output)
