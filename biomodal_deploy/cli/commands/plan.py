"""`biomodal-aws plan`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.session import importing, session
from biomodal_deploy.errors import UsageError
from biomodal_deploy.plan import PlanKind
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
    var_file: opt.VarFiles = None,
    var: opt.Variables = None,
    allow_destroy: opt.AllowDestroy = None,
    detailed_exitcode: Annotated[
        bool,
        typer.Option(
            "--detailed-exitcode", help="Exit with 2 where the plan has changes, as Terraform does."
        ),
    ] = False,
    allow: opt.Allow = None,
    account_moved: opt.AccountMoved = None,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stacks = None,
    every: opt.Every = False,
    jobs: opt.Jobs = None,
    readonly_lock: opt.ReadonlyLock = False,
    full: opt.Full = False,
    output: opt.OutputFormat = opt.Format.TEXT,
    part: opt.Part = False,
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
        from biomodal_deploy.cli.render.sets import describe_plan
        from biomodal_deploy.cli.sets import SetRun, refuse_for_sets, values_words

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
        words = [flag for flag, given in flags.items() if given] + values_words(var_file, var)
        run = SetRun(
            command="plan",
            describe=describe_plan,
            project_dir=project_dir,
            output=output,
            jobs=jobs,
        )
        return run.synthesized(["plan", *words], stack or (), every)

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
        # Half of what a plan needs takes half a second to import: no longer than synthesis.
        rest = "biomodal_deploy.cli.applying", "boto3.session", "biomodal_deploy.aws.preflight"
        with importing(*rest):
            chosen = fresh_stack(work.location, opt.only(stack), synthesized=part)
        from biomodal_deploy.cli.applying import plan_stack, show_planned

        planned, ledger = plan_stack(chosen, request)
    return show_planned(
        work.location,
        planned,
        ledger,
        output=output,
        full=full,
        detailed_exitcode=detailed_exitcode,
    )
