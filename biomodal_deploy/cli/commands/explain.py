"""`biomodal-aws explain`."""

from __future__ import annotations

from typing import Annotated

import typer

from biomodal_deploy.cli.options import Format, OutputFormat
from biomodal_deploy.cli.render.explain import show_differences
from biomodal_deploy.cli.result import Result, emit
from biomodal_deploy.review.hardening import CHECKED, choose_differences


def explain(
    points: Annotated[
        list[str] | None,
        typer.Argument(metavar="POINT", help="Only these points; default: all."),
    ] = None,
    output: OutputFormat = Format.TEXT,
) -> int:
    """Print the documented and hardened profiles side by side.

    Each difference with its risk, the reason for the hardened value, the way back, and what the
    module implementation cannot express.

    Example: biomodal-aws explain ssh imdsv2
    """
    differences = choose_differences(points or ())
    data = {
        "differences": [each.model_dump(mode="json") for each in differences],
        "checkov": {
            "documented_stack_failed": CHECKED.documented_stack,
            "documented_plan_failed": CHECKED.documented_plan,
            "hardened_waived": CHECKED.hardened_waived,
        },
    }
    return emit(
        Result(data=data, show=lambda console: show_differences(console, differences)), output
    )
