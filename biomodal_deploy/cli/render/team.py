"""What a team shares: buckets for states, who may use them, policies to paste and their faults."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydantic import JsonValue
from rich.console import Console
from rich.text import Text

from biomodal_deploy.aws.checks import ReportData
from biomodal_deploy.aws.state_bucket import is_fit
from biomodal_deploy.cli.next_steps import completed
from biomodal_deploy.cli.render import Line, message_console, print_exactly, print_lines
from biomodal_deploy.cli.render.applies import applied_data
from biomodal_deploy.cli.render.checks import show_findings
from biomodal_deploy.cli.render.sealed_plans import sealed_plan_data, show_sealed_plan
from biomodal_deploy.config.tfvars.files import shown
from biomodal_deploy.iam import Place
from biomodal_deploy.iam.check import Fault, Finding, short
from biomodal_deploy.iam.permissions import VmPolicy
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
    """What came of `backend create`."""

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


_HEADINGS: Final = {
    Fault.MISSING: ("Missing", "bad"),
    Fault.DEPENDS: ("Unknown", "warning"),
    Fault.UNKNOWN: ("Unknown to IAM", "bad"),
    Fault.BROADER: ("Broader than needed", "warning"),
}


def show_gaps(gaps: Sequence[str]) -> None:
    """Say of which parts of the stack nothing is known."""
    for address in gaps:
        _note("warning", f"{address}: what it needs is not known, and not in the policy")


def show_unbounded(roles: Sequence[str]) -> None:
    """Warn that a policy equals an administrator's: nothing bounds what its roles may become."""
    if roles:
        names = ", ".join(role.rpartition("/")[2] for role in roles)
        _note(
            "warning",
            "this policy equals administrator: its holder can write any permission into "
            f"{names} and start a VM with it\n"
            "fix: set permissions_boundary_arn, which the native hardened profile has",
        )


def show_faults(console: Console, findings: Sequence[Finding]) -> None:
    """Print findings, a list for each kind."""
    if not findings:
        console.print(Text("Nothing is missing, unknown or broader than needed", style="good"))
    for fault, (heading, style) in _HEADINGS.items():
        of_kind = [each for each in findings if each.fault is fault]
        if not of_kind:
            continue
        console.print(Text(f"{heading} ({len(of_kind)})", style=style))
        for each in of_kind:
            phases = f" ({', '.join(each.phases)})" if each.phases else ""
            print_lines(console, [Line(Text(f"  {each.action}{phases}"), 4)])
            details = [Text(short(resource)) for resource in each.resources]
            if each.detail:
                details.append(Text(each.detail, style="quiet"))
            print_lines(console, [Line(Text("    ").append_text(line), 4) for line in details])


def show_given(given: Sequence[tuple[VmPolicy, Sequence[Finding]]]) -> None:
    """Print the VM's policy, one document, and on standard error what is wrong with it."""
    print_exactly(json.dumps(combined([each.document for each, _ in given]), indent=2) + "\n")
    console = message_console()
    for policy, findings in given:
        console.print(Text(f"{policy.address}: {counted(len(findings), 'finding')}"))
        show_faults(console, findings)


def show_parts(sizes: Sequence[int]) -> None:
    """Say that a policy that is printed whole is longer than IAM lets a managed one be."""
    if len(sizes) > 1:
        _note(
            "note",
            f"one document, and IAM takes it in {len(sizes)} managed policies: --format aws-cli"
            " or --format terraform makes them",
        )


def _note(word: str, text: str) -> None:
    line = Text(f"{word}: ", style="warning").append(text, style="default")
    message_console().print(line)


Named = Mapping[str, Mapping[str, JsonValue]]
"""Policy documents by name."""


class PolicyFormat(StrEnum):
    """How policies are printed."""

    JSON = "json"
    TERRAFORM = "terraform"
    AWS_CLI = "aws-cli"


def rendered(named: Named, place: Place, form: PolicyFormat) -> str:
    """Return policies as text that ends with a line feed."""
    if form is PolicyFormat.TERRAFORM:
        return _indented(_terraform(named))
    if form is PolicyFormat.AWS_CLI:
        return "".join(f"{line}\n" for line in _commands(named, place))
    return _indented(combined(list(named.values())))


def combined(documents: Sequence[Mapping[str, JsonValue]]) -> Mapping[str, JsonValue]:
    """Return policies as one document; a Sid that several have gets a number."""
    first, *others = documents
    if not others:
        return first
    seen: Counter[str] = Counter()
    statements: list[JsonValue] = []
    for document in documents:
        listed = document["Statement"]
        for statement in listed if isinstance(listed, list) else [listed]:
            sid = statement.get("Sid") if isinstance(statement, dict) else None
            if isinstance(statement, dict) and isinstance(sid, str) and sid in seen:
                statements.append({**statement, "Sid": f"{sid}{seen[sid] + 1}"})
            else:
                statements.append(statement)
            if isinstance(sid, str):
                seen[sid] += 1
    return {**first, "Statement": statements}


def _terraform(named: Named) -> dict[str, object]:
    policies = {
        name.replace("-", "_"): {
            "name": name,
            # `${` in a policy is IAM's own; Terraform reads a doubled dollar as one.
            "policy": json.dumps(document).replace("${", "$${"),
        }
        for name, document in named.items()
    }
    arns = [f"${{aws_iam_policy.{label}.arn}}" for label in policies]
    return {"resource": {"aws_iam_policy": policies}, "output": {"policy_arns": {"value": arns}}}


def _commands(named: Named, place: Place) -> Sequence[str]:
    lines = []
    for name, document in named.items():
        text = json.dumps(document, separators=(",", ":"))
        lines.append(
            shlex.join(
                ["aws", "iam", "create-policy", "--policy-name", name, "--policy-document", text]
            )
        )
    lines += ["", "# Attach them to who deploys, USER here:"]
    for name in named:
        arn = f"arn:{place.partition}:iam::{place.account}:policy/{name}"
        lines.append(f"aws iam attach-user-policy --user-name USER --policy-arn {arn}")
    return lines


def _indented(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"
