"""`biomodal-aws doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from biomodal_deploy.aws.checks import ReportData, Verdict
from biomodal_deploy.aws.preflight import run_preflight, run_role_checks
from biomodal_deploy.aws.preflight.roles import all_steps, steps
from biomodal_deploy.aws.session import open_session, partition_of
from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.render import message_console
from biomodal_deploy.cli.render.checks import PreflightProgress, show_prerequisites, show_report
from biomodal_deploy.cli.render.project import show_tools
from biomodal_deploy.cli.session import emit
from biomodal_deploy.config.settings import PROJECT_FILE
from biomodal_deploy.engine.toolchain import inspect
from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS, UsageError
from biomodal_deploy.review.alerts import check_alerts
from biomodal_deploy.workflow.importing import held_elsewhere
from biomodal_deploy.workflow.location import Location, choose, project_folder
from biomodal_deploy.workflow.preflight import read_needed, read_owned, read_target
from biomodal_deploy.workflow.reporting import save_alerts


def doctor(
    toolchain: Annotated[
        bool,
        typer.Option("--toolchain", help="Show which Terraform, Node and providers run, and why."),
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Run only the checks of every plan.")
    ] = False,
    commands: Annotated[
        bool,
        typer.Option(
            "--commands",
            help="Check the account's roles alone, and print the commands that create the "
            "missing ones.",
        ),
    ] = False,
    every_role: Annotated[
        bool,
        typer.Option("--all", help="With --commands: those for every role; AWS is not asked."),
    ] = False,
    region: Annotated[
        str,
        typer.Option(
            "--region",
            envvar=["AWS_REGION", "AWS_DEFAULT_REGION"],
            help="With --commands: a region of the account's partition; the roles are the same "
            "in all of them.",
        ),
    ] = "us-east-1",
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    var_file: opt.VarFiles = None,
    var: opt.Variables = None,
    sarif: opt.Sarif = None,
    junit: opt.Junit = None,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Check the AWS account before an apply.

    Access, network, roles, names and quotas; nothing is changed. Each check passes, fails, warns,
    or is unknown and says why; how to fix it stands below. Outside of a project only this machine's
    Terraform, Node and providers are checked. Exit status 2 where a check fails.

    The account's roles belong to no stack. --commands prints what makes those that are
    missing; a stack whose "bootstrap" is "prerequisites" makes them with Terraform, from the
    variables that are printed last.

    Example: biomodal-aws doctor
    """
    if (sarif or junit) and (commands or toolchain):
        raise UsageError(
            "cannot be used with --commands or --toolchain",
            field="--sarif" if sarif else "--junit",
            fix="leave one of them out",
        )
    if commands:
        return _role_commands(region, output, everything=every_role)
    if every_role:
        raise UsageError("requires --commands", field="--all", fix="add --commands")
    if (
        not toolchain
        and project_dir == opt.HERE
        and not (project_folder(opt.HERE) / PROJECT_FILE).exists()
    ):
        toolchain = True
        line = f"note: no project here ({PROJECT_FILE}), so only this machine is checked. "
        message_console().print(f"{line}Next: biomodal-aws init", style="warning")
    if toolchain:
        found = inspect()
        status = EXIT_DONE if found.ok else EXIT_FINDINGS
        return emit(found.tools, lambda console: show_tools(console, found.tools), output, status)
    report = _account(project_dir, stack, var_file or [], var or [], quick=quick)
    save_alerts("doctor", check_alerts(report.checks), sarif, junit)
    return emit(report, lambda console: show_report(console, report), output, report.exit_status)


def _account(
    project_dir: Path,
    stack: str | None,
    var_files: list[Path],
    variables: list[str],
    *,
    quick: bool,
) -> ReportData:
    location = Location.of(project_dir)
    name = choose(stack, list(location.stacks))
    target = read_target(location, location.settings(name), var_files, variables)
    with PreflightProgress(message_console()) as progress:
        return run_preflight(
            target,
            open_session(target.region),
            quick=quick,
            on_progress=progress,
            owned=read_owned(location, name),
            elsewhere=held_elsewhere(location, name),
            needed_actions=read_needed(location, name, var_files, variables),
        )


def _role_commands(region: str, output: opt.Format, *, everything: bool) -> int:
    partition = partition_of(region)
    report = None if everything else run_role_checks(open_session(region), region)
    missing = all_steps(partition) if report is None else steps(report, partition)
    findings = report.checks if report else ()
    settled = all(finding.verdict is Verdict.PASS for finding in findings)
    data = {
        "commands": [step.command for step in missing],
        "variables": {step.variable: True for step in missing if step.variable},
        "checks": findings,
    }
    return emit(
        data,
        lambda console: show_prerequisites(console, findings, missing, region),
        output,
        EXIT_DONE if settled else EXIT_FINDINGS,
    )
