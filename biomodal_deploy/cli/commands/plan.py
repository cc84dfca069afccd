"""`biomodal-aws plan`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from biomodal_deploy.cli.options import (
    HERE,
    AccountMoved,
    Allow,
    AllowDestroy,
    Every,
    Format,
    Full,
    Jobs,
    OutputFormat,
    Part,
    ProjectDir,
    ReadonlyLock,
    Stacks,
    VarFiles,
    Variables,
    only,
)
from biomodal_deploy.cli.render.costs import cost_summary
from biomodal_deploy.cli.render.sealed_plans import sealed_plan_data, show_sealed_plan
from biomodal_deploy.cli.render.sets import describe_plan
from biomodal_deploy.cli.session import emit, session
from biomodal_deploy.cli.sets import SetRun, refuse_for_sets, values_words
from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS, EXIT_GUARD, UsageError
from biomodal_deploy.plan import PlanKind
from biomodal_deploy.workflow.approving import approval_status
from biomodal_deploy.workflow.destroying import take_ledger
from biomodal_deploy.workflow.planning import make_plan
from biomodal_deploy.workflow.sets.choosing import is_set
from biomodal_deploy.workflow.stack import fresh_stack
from biomodal_deploy.workflow.variables import PlanRequest


def plan(
    destroy: Annotated[
        bool, typer.Option("--destroy", help="Plan to remove everything that the stack made.")
    ] = False,
    refresh_only: Annotated[
        bool,
        typer.Option("--refresh-only", help="Plan to record what changed outside Terraform."),
    ] = False,
    var_file: VarFiles = None,
    var: Variables = None,
    allow_destroy: AllowDestroy = None,
    detailed_exitcode: Annotated[
        bool,
        typer.Option(
            "--detailed-exitcode", help="Exit with 2 where the plan has changes, as Terraform does."
        ),
    ] = False,
    allow: Allow = None,
    account_moved: AccountMoved = None,
    project_dir: ProjectDir = HERE,
    stack: Stacks = None,
    every: Every = False,
    jobs: Jobs = None,
    readonly_lock: ReadonlyLock = False,
    full: Full = False,
    output: OutputFormat = Format.TEXT,
    part: Part = False,
) -> int:
    """Create a plan, check it, and save it as a sealed plan.

    Nothing is changed in AWS. Exit status 0 with and without changes, 3 where a guard refuses the
    plan; with --detailed-exitcode, 2 where there are changes.

    A set of stacks (--all, or several names or patterns in --stack) is synthesized once and
    planned a few at a time; the exit status is the worst of them. Several stacks cannot be
    destroyed at once.

    Example: biomodal-aws plan --var-file environments/prod.tfvars
    """
    if destroy and refresh_only:
        raise UsageError(
            "cannot be used with --refresh-only", field="--destroy", fix="use one of the two"
        )
    if is_set(stack or (), every=every):
        alone = {
            "--destroy": destroy,
            "--allow-destroy": bool(allow_destroy),
            "--allow": bool(allow),
            "--account-moved": bool(account_moved),
        }
        refuse_for_sets(alone, "only valid with one stack")
        flags = {
            "--refresh-only": refresh_only,
            "--readonly-lock": readonly_lock,
            "--detailed-exitcode": detailed_exitcode,
        }
        words = [flag for flag, given in flags.items() if given]
        run = SetRun(
            command="plan",
            describe=describe_plan,
            project_dir=project_dir,
            output=output,
            jobs=jobs,
        )
        return run.synthesized(["plan", *words, *values_words(var_file, var)], stack or [], every)

    kind = PlanKind.DESTROY if destroy else PlanKind.APPLY
    request = PlanRequest(
        kind=PlanKind.REFRESH_ONLY if refresh_only else kind,
        var_files=var_file or (),
        variables=var or (),
        allow_destroy=allow_destroy or (),
        allow=allow or (),
        cwd=Path.cwd(),
        readonly_lock=readonly_lock,
        account_moved=account_moved,
    )
    with session(project_dir, output, part=part) as work:
        chosen = fresh_stack(work.location, only(stack), synthesized=part)
        planned = make_plan(chosen, request)
        ledger = None
        if destroy:
            ledger = take_ledger(chosen, planned.sealed_plan, planned.plan)
    approvals = approval_status(chosen.location, planned.sealed_plan)
    changed = detailed_exitcode and planned.sealed_plan.manifest.has_changes
    status = EXIT_FINDINGS if changed else EXIT_DONE
    return emit(
        sealed_plan_data(planned.sealed_plan, planned.plan, ledger, approvals=approvals),
        lambda console: show_sealed_plan(
            console,
            planned.sealed_plan,
            planned.plan,
            ledger,
            full=full,
            cost=cost_summary(
                planned.plan, planned.sealed_plan.manifest, work.location.project_dir
            ),
            approvals=approvals,
        ),
        output,
        EXIT_GUARD if planned.refusals else status,
    )
