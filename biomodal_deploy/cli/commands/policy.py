"""`biomodal-aws policy`: what deploying takes, and what the VM is given."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from biomodal_deploy.aws.identity import region_of, who_am_i
from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.render import print_exactly
from biomodal_deploy.cli.render.team import (
    PolicyFormat,
    rendered,
    show_faults,
    show_gaps,
    show_given,
    show_parts,
    show_unbounded,
)
from biomodal_deploy.cli.session import emit, session
from biomodal_deploy.config.tfvars.values import to_json
from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS, EngineError
from biomodal_deploy.iam.catalog import LIFE_CYCLE, Phase
from biomodal_deploy.iam.check import Finding
from biomodal_deploy.iam.language import read_policies
from biomodal_deploy.iam.permissions import StackPermissions, VmPolicy, bucket_part
from biomodal_deploy.iam.policies import size
from biomodal_deploy.workflow.stack import fresh_stack
from biomodal_deploy.workflow.variables import given_values

PhaseChoice = Literal["plan", "apply", "update", "destroy", "all"]
Phases = Annotated[
    PhaseChoice,
    typer.Option(
        "--phase",
        help="The command to allow: plan, apply (of a new environment), update "
        "(in place), destroy. A replacement is destroy and apply.",
    ),
]
Account = Annotated[
    str | None,
    typer.Option(
        "--account",
        metavar="ID",
        help="The AWS account, 12 digits; default: the stack's, else the only one of its "
        "limits, else that of the credentials.",
    ),
]

policy = typer.Typer(
    help="The permissions that stacks and the VM need.",
    rich_markup_mode=None,
    add_completion=False,
)


@policy.command()
def deployer(
    documented: Annotated[
        bool,
        typer.Option("--documented", help="The published policy, its placeholders filled in."),
    ] = False,
    phase: Phases = "all",
    form: Annotated[
        PolicyFormat, typer.Option("--format", help="How to print it.")
    ] = PolicyFormat.JSON,
    var_file: opt.VarFiles = None,
    var: opt.Variables = None,
    account: Account = None,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Print the least policy that deploys the stack.

    With these values, and as few policies as IAM's limit on their length allows. Standard error
    says where the policy equals an administrator's: no permissions boundary bounds a role that it
    may write. Where something is in the stack of which nothing is known, standard error says so
    and the exit status is 2.

    Example: biomodal-aws policy deployer --format aws-cli
    """
    known = _permissions(project_dir, stack, var_file, var, account, output)
    if documented:
        named = {f"{known.name}-documented": known.documented()}
        gaps: tuple[str, ...] = ()
        unbounded: tuple[str, ...] = ()
    else:
        named = {each.name: each.as_json() for each in known.deployer(_phases(phase))}
        gaps = known.needs.gaps
        unbounded = known.unbounded_roles(_phases(phase))
    text = rendered(named, known.place, form)
    if output is opt.Format.TEXT:
        show_gaps(gaps)
        show_unbounded(unbounded)
        if form is PolicyFormat.JSON:
            show_parts([size(document) for document in named.values()])
    data = {
        "gaps": list(gaps),
        "unbounded_roles": list(unbounded),
        "policies": [
            {"name": name, "size": size(document), "document": document}
            for name, document in named.items()
        ],
    }
    return emit(
        data,
        lambda _: print_exactly(text.removesuffix("\n") + "\n"),
        output,
        EXIT_FINDINGS if gaps else EXIT_DONE,
    )


@policy.command()
def check(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="Policies as JSON: what one user or role holds, together."
        ),
    ],
    phase: Phases = "all",
    var_file: opt.VarFiles = None,
    var: opt.Variables = None,
    account: Account = None,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Check a policy against what this stack needs.

    What it lacks for this stack, what IAM does not know, and what is broader than needed. Exit
    status 0 without findings, else 2.

    Example: biomodal-aws policy check deployer.json --phase apply
    """
    given = [each for file in files for each in read_policies(file)]
    known = _permissions(project_dir, stack, var_file, var, account, output)
    found = known.check(given, _phases(phase))
    gaps = known.needs.gaps
    if output is opt.Format.TEXT:
        show_gaps(gaps)
    return emit(
        {"gaps": list(gaps), "findings": found},
        lambda console: show_faults(console, found),
        output,
        EXIT_FINDINGS if found or gaps else EXIT_DONE,
    )


@policy.command()
def vm(
    bucket: Annotated[
        bool,
        typer.Option("--bucket", help="Only what it may do with the data bucket."),
    ] = False,
    var_file: opt.VarFiles = None,
    var: opt.Variables = None,
    account: Account = None,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Print what the VM may do, beside what Nextflow needs.

    What is known only after the plan stands as *. Exit status 2 where there are findings.

    Example: biomodal-aws policy vm
    """
    known = _permissions(project_dir, stack, var_file, var, account, output)
    given = [bucket_part(each) for each in known.vm()] if bucket else known.vm()
    found: list[tuple[VmPolicy, tuple[Finding, ...]]] = [
        (each, known.check_vm(each)) for each in given
    ]
    data = [
        {
            "address": each.address,
            "document": each.document,
            "findings": findings,
        }
        for each, findings in found
    ]
    return emit(
        data,
        lambda _: show_given(found),
        output,
        EXIT_FINDINGS if any(each for _, each in found) else EXIT_DONE,
    )


def _permissions(
    project_dir: Path,
    stack: str | None,
    var_file: list[Path] | None,
    var: list[str] | None,
    account: str | None,
    output: opt.Format,
) -> StackPermissions:
    with session(project_dir, output) as work:
        chosen = fresh_stack(work.location, stack)
        given = given_values(chosen, var_file or (), var or (), Path.cwd())
        limits = chosen.settings.account
        if account is None and len(limits) == 1:
            [account] = limits
        if account is None:
            account = _callers_account(region_of(work.location.environment))
    values = json.loads(to_json(given.resolved.values))
    return StackPermissions(chosen.directory, values, account, chosen.settings)


def _callers_account(region: str | None) -> str:
    try:
        return who_am_i(region).account
    except EngineError as error:
        # Whoever asks for permissions has perhaps no credentials yet.
        advice = f"give --account ID, which needs no credentials; or {error.advice}"
        raise EngineError(error.message, advice=advice) from None


def _phases(choice: PhaseChoice) -> Sequence[Phase]:
    return LIFE_CYCLE if choice == "all" else (Phase(choice),)
