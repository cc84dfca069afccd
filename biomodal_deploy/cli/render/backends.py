"""Buckets for states: what came of making one, what it lacks, who may use it; a moved state."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pydantic import JsonValue
from rich.console import Console
from rich.text import Text

from biomodal_deploy.aws.checks import ReportData
from biomodal_deploy.aws.state_bucket.checker import is_fit
from biomodal_deploy.cli.next_steps import completed
from biomodal_deploy.cli.render.applies import applied_data
from biomodal_deploy.cli.render.checks import show_findings
from biomodal_deploy.cli.render.console import print_exactly
from biomodal_deploy.cli.render.sealed_plans import sealed_plan_data, show_sealed_plan
from biomodal_deploy.config.tfvars.files import shown
from biomodal_deploy.text import counted
from biomodal_deploy.workflow.applying import Applied
from biomodal_deploy.workflow.migrating import Migrated
from biomodal_deploy.workflow.planning import Planned
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.state_files import local_state_of
from biomodal_deploy.workflow.wanted_bucket import Wanted


def show_migrated(console: Console, done: Migrated) -> None:
    """Print from where to where, what was read back, and where the copy is."""
    if done.source is None:
        console.print(Text(f"There is nothing to move: the state of {done.stack} is in"))
        console.print(Text(f"  {done.target}"))
        return
    console.print(Text("Moved: ", style="good").append(f"the state of {done.stack}", "default"))
    console.print(Text(f"  from    {done.source}"))
    console.print(Text(f"  to      {done.target}"))
    resources = None if done.resources is None else counted(done.resources, "resource")
    holds = f"serial {done.serial}, {resources}" if resources else "nothing yet"
    console.print(Text(f"  holds   {holds}, read back"))
    if done.backup:
        console.print(Text(f"  backup  {done.backup}"))
    console.print(completed(f"Next: biomodal-aws plan --stack {done.stack}"), style="quiet")


@dataclass(frozen=True, kw_only=True)
class Created:
    """What came of `backend create`.

    Attributes:
        applied: What the apply did; None where there was none.
        to_move: The stacks whose state is still to be moved there.
    """

    wanted: Wanted
    stack: Stack
    planned: Planned
    applied: Applied | None
    policy: dict[str, JsonValue]
    to_move: tuple[str, ...]


def show_created(console: Console, created: Created) -> None:
    """Print the plan or what it did, where the bucket's own state is, and the policy."""
    wanted, planned = created.wanted, created.planned
    has_changes = planned.sealed_plan.manifest.has_changes
    if created.applied is None and (has_changes or planned.refusals):
        show_sealed_plan(console, planned.sealed_plan, planned.plan)
        return
    did = "It is as planned: " if created.applied is None else "Made: "
    line = Text(did, style="good").append(f"s3://{wanted.bucket} in {wanted.region}", "default")
    console.print(line)
    if created.applied and created.applied.run.interrupted:
        console.print("It was asked to stop, and had nothing left to do.", style="warning")
    kept = shown(local_state_of(created.stack))
    console.print(Text(f"  its own state is {kept}: no secret is in it, so commit it"))
    console.print(Text(f"  git add -f {kept}"))
    if created.applied is None:
        console.print(completed("Who may use it: biomodal-aws backend policy"), style="quiet")
    else:
        console.print(Text("Who plans and applies with it needs this policy, and no more of S3:"))
        show_policy(console, created.policy)
    for name in created.to_move:
        step = completed(f"Next: biomodal-aws backend migrate --stack {name}")
        console.print(step, style="quiet")


def created_data(created: Created) -> dict[str, object]:
    """Return what came of it as data for programs."""
    planned = created.planned
    return {
        **_bucket_data(created.wanted),
        "stack": created.stack.name,
        "state": str(local_state_of(created.stack)),
        "plan": sealed_plan_data(planned.sealed_plan, planned.plan),
        "applied": applied_data(created.applied) if created.applied else None,
        "policy": created.policy,
        "to_move": list(created.to_move),
    }


def show_policy(_: Console, policy: dict[str, JsonValue]) -> None:
    """Print a policy, for a file or another program."""
    print_exactly(json.dumps(policy, indent=2) + "\n")


def policy_data(wanted: Wanted, policy: dict[str, JsonValue]) -> dict[str, object]:
    """Return a policy and what it is for as data for programs."""
    return {**_bucket_data(wanted), "policy": policy}


def show_checked(console: Console, wanted: Wanted, report: ReportData) -> None:
    """Print what a bucket has and lacks, with how to fix it."""
    console.print(Text(wanted.bucket, style="bold").append(f"  {wanted.region}", style="quiet"))
    show_findings(console, report.checks)
    if is_fit(report):
        console.print(Text("Fit to keep states.", style="good"))
    else:
        console.print(Text("Not fit to keep states as it is.", style="warning"))


def checked_data(wanted: Wanted, report: ReportData) -> dict[str, object]:
    """Return the same as data for programs."""
    return {**_bucket_data(wanted), "fit": is_fit(report), "checks": report.checks}


def _bucket_data(wanted: Wanted) -> dict[str, object]:
    return {
        "bucket": wanted.bucket,
        "region": wanted.region,
        "kms_key_id": wanted.kms_key_id,
        "keys": dict(wanted.keys),
    }
