"""`biomodal-aws backend`: a state that a team shares."""

from __future__ import annotations

from typing import Annotated

import typer

from biomodal_deploy.aws.state_bucket import is_fit
from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.applying import apply_asking
from biomodal_deploy.cli.render import message_console
from biomodal_deploy.cli.render.sealed_plans import show_sealed_plan
from biomodal_deploy.cli.render.team import (
    Created,
    checked_data,
    created_data,
    policy_data,
    show_checked,
    show_created,
    show_migrated,
    show_policy,
)
from biomodal_deploy.cli.session import Session, emit, session
from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS, EXIT_GUARD, UsageError
from biomodal_deploy.workflow.location import Step
from biomodal_deploy.workflow.migrating import migrate_state
from biomodal_deploy.workflow.planning import Planned
from biomodal_deploy.workflow.stack import fresh_stack
from biomodal_deploy.workflow.state_bucket import (
    bucket_checker,
    left_to_move,
    plan_bucket,
    policy_of,
)
from biomodal_deploy.workflow.variables import PlanRequest
from biomodal_deploy.workflow.wanted_bucket import BucketOptions, wanted_bucket

Bucket = Annotated[
    str | None,
    typer.Option(help="The bucket; default: that of the stack's backend."),
]
Region = Annotated[
    str | None, typer.Option(help="The bucket's region; default: that of the backend.")
]
Key = Annotated[
    str | None,
    typer.Option(help="The object that holds the state; default: the backend's."),
]
KmsKey = Annotated[
    str | None,
    typer.Option(
        "--kms-key-id",
        metavar="KEY",
        help="The KMS key to encrypt with: id, ARN or alias; default: the backend's, "
        "else the keys of Amazon S3.",
    ),
]

backend = typer.Typer(
    help="A state that a team shares, and the way there.",
    rich_markup_mode=None,
    add_completion=False,
)


@backend.callback()
def about() -> None:
    """Keep the words below it words of their own, also where there is only one."""


@backend.command()
def create(
    bucket: Bucket = None,
    region: Region = None,
    key: Key = None,
    kms_key_id: KmsKey = None,
    keep_days: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=3650,
            metavar="DAYS",
            help="Days for which former versions of a state are kept; default: 90.",
        ),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A tag of the bucket. Repeatable."),
    ] = None,
    plan_only: Annotated[
        bool, typer.Option("--plan-only", help="Save and print the sealed plan; do not apply it.")
    ] = False,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes", help="Apply the plan without asking; never one that loses something."
        ),
    ] = False,
    allow_destroy: opt.AllowDestroy = None,
    account_moved: opt.AccountMoved = None,
    confirm: opt.Confirm = None,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    readonly_lock: opt.ReadonlyLock = False,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Create the bucket for states, and print its policies.

    Versioned, encrypted, closed to the public, TLS only; former versions go after some days, the
    bucket never. Name, region and KMS key are those of the stacks' "backend" in cdktf.json.
    It is a stack of its own with a local state of its own: planned to a file, sealed, shown, and
    applied once that is agreed to. Without a terminal, the plan is left for `apply` (exit status
    2). Run again, it plans what has changed; a plan that loses something, as one does after a kill
    that left the bucket damaged, asks for its stack's name, or takes it from --confirm. The bucket
    itself is protected: --allow-destroy names it.

    Example: biomodal-aws backend create --stack biomodal-aws
    """
    if plan_only and yes:
        raise UsageError("cannot be used with --yes", field="--plan-only", fix="use one of the two")

    options = BucketOptions(
        stack=stack,
        bucket=bucket,
        region=region,
        key=key,
        kms_key_id=kms_key_id,
        keep_days=keep_days,
        tags=_tags(tag or []),
    )
    with session(project_dir, output) as work:
        wanted = wanted_bucket(work.location, options)
        request = PlanRequest(
            cwd=work.location.project_dir,
            allow_destroy=allow_destroy or (),
            account_moved=account_moved,
            readonly_lock=readonly_lock,
        )
        own, planned = plan_bucket(work.location, wanted, options, request)
        applied = None
        if not plan_only and _agreed(work, planned, yes=yes):
            applied = apply_asking(work, own, planned.sealed_plan, name=confirm)
        created = Created(
            wanted=wanted,
            stack=own,
            planned=planned,
            applied=applied,
            policy=policy_of(work.location, wanted),
            to_move=left_to_move(work.location, wanted),
        )
    waits = applied is None and planned.sealed_plan.manifest.has_changes
    status = EXIT_FINDINGS if waits else EXIT_DONE
    return emit(
        created_data(created),
        lambda console: show_created(console, created),
        output,
        EXIT_GUARD if planned.refusals else status,
    )


def _agreed(work: Session, planned: Planned, *, yes: bool) -> bool:
    """Show a plan, and ask whether to apply it; no where nobody can be asked."""
    if planned.refusals or not planned.sealed_plan.manifest.has_changes:
        return False
    if not (yes or work.can_ask):
        return False
    work.progress.pause()
    show_sealed_plan(message_console(), planned.sealed_plan, planned.plan)
    return yes or work.ask("Apply it? Only yes goes on: ") == "yes"


def _tags(given: list[str]) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise UsageError("A tag is NAME=VALUE", field="--tag", value=name, fix="write it so")
    return {name: value for name, _, value in pairs}


@backend.command()
def check(
    bucket: Bucket = None,
    region: Region = None,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Check whether a bucket is fit for states.

    Its region, versions, encryption, public access, TLS, ownership and the end of former versions,
    as AWS reports them; each with the command that fixes it. Exit status 2 if something that
    protects a state is missing or unknown.

    Example: biomodal-aws backend check
    """
    with session(project_dir, output) as work:
        options = BucketOptions(stack=stack, bucket=bucket, region=region, key="any")
        wanted = wanted_bucket(work.location, options)
        work.on_event(Step("Asking AWS for the bucket"))
        found = bucket_checker(work.location, wanted).check()
    return emit(
        checked_data(wanted, found),
        lambda console: show_checked(console, wanted, found),
        output,
        EXIT_DONE if is_fit(found) else EXIT_FINDINGS,
    )


@backend.command()
def policy(
    bucket: Bucket = None,
    region: Region = None,
    key: Key = None,
    kms_key_id: KmsKey = None,
    plan_only: Annotated[
        bool, typer.Option("--plan-only", help="The policy of a user who only plans.")
    ] = False,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Print the least policy for users of a state in S3.

    To plan and apply: the state, its lock (`.tflock`), the listing that tells "not there yet" from
    "forbidden", and the KMS key where there is one. Of every stack that names the bucket, or
    of the one that --stack names. Nothing is made, and AWS is asked only for the account of a KMS
    key that is no ARN.

    Example: biomodal-aws backend policy --stack biomodal-aws > state-policy.json
    """
    with session(project_dir, output) as work:
        options = BucketOptions(
            stack=stack, bucket=bucket, region=region, key=key, kms_key_id=kms_key_id
        )
        wanted = wanted_bucket(work.location, options)
        document = policy_of(work.location, wanted, writes=not plan_only)
    return emit(
        policy_data(wanted, document), lambda console: show_policy(console, document), output
    )


@backend.command()
def migrate(
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Move a state to the backend that cdktf.json names.

    A private copy is made first, and the old state stays until the new one was read back: lineage,
    serial and contents. Stopped at any point, nothing is lost, and running it again goes on. It
    refuses where the new place holds another state. AWS resources are not touched.

    Example: biomodal-aws backend migrate --stack biomodal-aws
    """
    with session(project_dir, output) as work:
        chosen = fresh_stack(work.location, stack)
        done = migrate_state(chosen)
    return emit(done, lambda console: show_migrated(console, done), output)
