"""`biomodal-aws prerequisites`."""

from __future__ import annotations

from typing import Annotated

import typer

from biomodal_deploy.aws.checks import Verdict
from biomodal_deploy.aws.preflight.prerequisites import all_steps, steps
from biomodal_deploy.aws.preflight.runner import run_role_checks
from biomodal_deploy.aws.session import open_session, partition_of
from biomodal_deploy.cli.options import Format, OutputFormat
from biomodal_deploy.cli.render.preflight import show_prerequisites
from biomodal_deploy.cli.result import Result, emit
from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS


def prerequisites(
    region: Annotated[
        str,
        typer.Option(
            "--region",
            envvar=["AWS_REGION", "AWS_DEFAULT_REGION"],
            help="A region of the account's partition; the roles are the same in all of them.",
        ),
    ] = "us-east-1",
    everything: Annotated[
        bool,
        typer.Option("--all", help="Print the commands for every role, without asking AWS."),
    ] = False,
    output: OutputFormat = Format.TEXT,
) -> int:
    """Print the commands that create an account's missing roles.

    AWS Batch needs them before any deployment, and they belong to the account, not to one
    deployment. To make them with Terraform instead, add a deployment whose "bootstrap" is
    "prerequisites", and put the variables that are printed last into its terraform.tfvars.
    Exit status 2 if a role is missing or unknown.

    Example: biomodal-aws prerequisites > make-roles.sh
    """
    partition = partition_of(region)
    report = None if everything else run_role_checks(open_session(region), region)
    missing = all_steps(partition) if report is None else steps(report, partition)
    findings = report.findings if report else ()
    settled = all(finding.verdict is Verdict.PASS for finding in findings)
    data = {
        "commands": [step.command for step in missing],
        "variables": {step.variable: True for step in missing if step.variable},
        "checks": [finding.as_data() for finding in findings],
    }
    return emit(
        Result(
            data=data,
            show=lambda console: show_prerequisites(console, findings, missing, region),
            exit_status=EXIT_DONE if settled else EXIT_FINDINGS,
        ),
        output,
    )
