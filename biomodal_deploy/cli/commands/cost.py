"""`biomodal-aws cost`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.text import Text

from biomodal_deploy.aws.clients import open_clients
from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.render import message_console
from biomodal_deploy.cli.render.costs import cost_data, show_cost
from biomodal_deploy.cli.session import emit
from biomodal_deploy.errors import UsageError
from biomodal_deploy.review.cost import Prices
from biomodal_deploy.review.cost.estimate import estimate
from biomodal_deploy.review.cost.refresh import refresh as refresh_prices
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.plans import find_latest, stack_meant
from biomodal_deploy.workflow.stack import recorded_stack


def cost(
    plan: Annotated[
        str | None,
        typer.Argument(
            metavar="PLAN",
            help="A sealed plan's id or folder; the stack's newest, used or not, where left out.",
        ),
    ] = None,
    core_hours: Annotated[
        int,
        typer.Option("--core-hours", min=1, help="Hours of one vCPU that a month's work takes."),
    ] = 1000,
    refresh: Annotated[
        bool,
        typer.Option(
            "--refresh",
            help="Ask AWS for today's prices first, and keep them in the project's prices.json.",
        ),
    ] = False,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Show what a plan's environment costs.

    While idle for a month, at its busiest for an hour, for data and for work. Each figure is exact
    or the most that it can be, in US dollars, before tax. Prices come from the package, which has
    us-east-1, and from the project's prices.json, which --refresh writes for any region. What has
    no known price is named, and is in no sum.

    Example: biomodal-aws cost --core-hours 5000
    """
    location = Location.of(project_dir)
    chosen = recorded_stack(location, stack_meant(location, stack, plan))
    found = find_latest(location, chosen.name, plan)
    changes, region = found.plan(), found.manifest.facts.region
    if region is None:
        raise UsageError(
            "the plan names no region, and prices differ by region",
            field="plan",
            value=found.manifest.id,
            fix="set region in the stack's settings, and plan again",
        )
    today = datetime.now(UTC).date()
    if refresh:
        for name, why in refresh_prices(
            changes, open_clients(region), location.project_dir, today
        ).items():
            message_console().print(Text(f"warning: {name}: no price ({why})", style="warning"))
    prices = Prices.of(region, location.project_dir)
    estimated = estimate(changes, prices, core_hours=core_hours)
    return emit(
        cost_data(found.manifest, estimated, today),
        lambda console: show_cost(console, found.manifest, estimated, today),
        output,
    )
