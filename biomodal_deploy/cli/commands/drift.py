"""`biomodal-aws drift`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.render.plans import drift_data, show_drift
from biomodal_deploy.cli.render.sets import describe_drift
from biomodal_deploy.cli.session import emit, session
from biomodal_deploy.cli.sets import SetRun, values_words
from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS
from biomodal_deploy.review.alerts import Alert, drift_alerts
from biomodal_deploy.workflow.reading import find_drift
from biomodal_deploy.workflow.reporting import save_alerts
from biomodal_deploy.workflow.sets import StackOutcome
from biomodal_deploy.workflow.sets.choosing import is_set
from biomodal_deploy.workflow.stack import fresh_stack


def drift(
    var_file: opt.VarFiles = None,
    var: opt.Variables = None,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stacks = None,
    every: opt.Every = False,
    jobs: opt.Jobs = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show what AWS filled in by itself as well.")
    ] = False,
    sarif: opt.Sarif = None,
    junit: opt.Junit = None,
    output: opt.OutputFormat = opt.Format.TEXT,
    part: opt.Part = False,
) -> int:
    """Show what changed outside Terraform since the apply.

    Nothing is changed or kept. Drift is: objects that are gone, tags, whatever the configuration
    sets or a plan would change back, and access that was given by hand. What AWS fills in by itself
    is shown with --verbose. It takes the same variables and files as plan. Exit status 0 without
    drift, 2 with drift or where nothing was ever applied. Of a set of stacks (--all, or
    several in --stack) the worst.

    Example: biomodal-aws drift
    """
    if is_set(stack or (), every=every):
        run = SetRun(
            command="drift",
            describe=describe_drift,
            project_dir=project_dir,
            output=output,
            jobs=jobs,
            on_end=lambda outcomes: save_alerts("drift", _alerts(outcomes), sarif, junit),
        )
        words = ["drift", *values_words(var_file, var)]
        return run.synthesized(words, stack or [], every)

    with session(project_dir, output, part=part) as work:
        chosen = fresh_stack(work.location, opt.only(stack), synthesized=part)
        plan = find_drift(
            chosen,
            var_files=var_file or (),
            variables=var or (),
            cwd=Path.cwd(),
        )
    data = drift_data(chosen.name, plan)
    save_alerts("drift", drift_alerts(chosen.name, data), sarif, junit)
    return emit(
        data,
        lambda console: show_drift(console, chosen.name, plan, verbose=verbose),
        output,
        EXIT_FINDINGS if plan.drifted else EXIT_DONE,
    )


def _alerts(outcomes: Sequence[StackOutcome]) -> Iterator[Alert]:
    for each in outcomes:
        yield from drift_alerts(each.stack, each.data, each.error.message if each.error else "")
