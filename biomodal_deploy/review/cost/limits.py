"""What a plan's environment may cost, judged before it is sealed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from biomodal_deploy.config.settings import Limits
from biomodal_deploy.plan import Plan
from biomodal_deploy.plan.guards import Outcome, Verdict
from biomodal_deploy.review.cost.estimate import estimate
from biomodal_deploy.review.cost.prices import Prices


def judge_cost(
    plan: Plan, limits: Limits, region: str | None, project: Path
) -> tuple[Verdict, ...]:
    """Judge a plan by the settings' limits on cost; nothing is asked where there are none.

    What has no known price may cost anything, so that a limit on it refuses.

    Args:
        plan: The plan.
        limits: Of the stack.
        region: The region that it acts on.
        project: The project's folder, which may have prices of its own.

    Raises:
        UsageError: The project's file of prices is not one.
    """
    if limits.max_monthly_usd is None and limits.max_hourly_usd is None:
        return ()
    found = estimate(plan, Prices.of(region or "", project))
    return tuple(
        verdict
        for name, most, cost, lines in (
            ("max_monthly_usd", limits.max_monthly_usd, found.after.month, found.idle),
            ("max_hourly_usd", limits.max_hourly_usd, found.after.hour, found.busiest),
        )
        if most is not None
        for verdict in _judged(name, most, cost, [x.what for x in lines if x.amount is None])
    )


def _judged(name: str, most: float, cost: float, unpriced: list[str]) -> Iterator[Verdict]:
    per = "a month while idle" if name == "max_monthly_usd" else "in the busiest hour"
    if cost > most:
        yield Verdict(
            rule="cost",
            outcome=Outcome.REFUSED,
            message=f"It costs {cost:,.2f} US dollars {per}, and limits.{name} is {most:g}.",
        )
    elif unpriced:
        yield Verdict(
            rule="cost",
            outcome=Outcome.REFUSED,
            message=f"{', '.join(unpriced)}: no price is known, so limits.{name} cannot be "
            "judged. To look it up: biomodal-aws cost --refresh",
        )
    else:
        yield Verdict(
            rule="cost",
            outcome=Outcome.PASSED,
            message=f"It costs {cost:,.2f} US dollars {per}; limits.{name} is {most:g}.",
        )
