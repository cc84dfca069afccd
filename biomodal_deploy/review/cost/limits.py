"""What a plan's environment may cost, judged before it is sealed."""

from __future__ import annotations

from pathlib import Path

from biomodal_deploy.config.settings import Limits
from biomodal_deploy.plan import Plan
from biomodal_deploy.plan.guards import Outcome, Verdict
from biomodal_deploy.review.cost import Prices
from biomodal_deploy.review.cost.estimate import estimate


def judge_cost(
    plan: Plan, limits: Limits, region: str | None, project: Path
) -> tuple[Verdict, ...]:
    """Judge a plan by the settings' limits on cost; nothing is asked where there are none.

    What has no known price may cost anything, so that a limit on it refuses. A plan that lowers the
    cost passes, though it is still above the limit.
    """
    if limits.max_monthly_usd is None and limits.max_hourly_usd is None:
        return ()
    found = estimate(plan, Prices.of(region or "", project))
    before, after = found.before, found.after
    return tuple(
        _judged(name, most, now, cost, [line.what for line in lines if line.amount is None])
        for name, most, now, cost, lines in (
            ("max_monthly_usd", limits.max_monthly_usd, before.month, after.month, found.idle),
            ("max_hourly_usd", limits.max_hourly_usd, before.hour, after.hour, found.busiest),
        )
        if most is not None
    )


def _judged(name: str, most: float, now: float, cost: float, unpriced: list[str]) -> Verdict:
    per = "a month while idle" if name == "max_monthly_usd" else "in the busiest hour"
    line = f"It costs {cost:,.2f} US dollars {per}, and limits.{name} is {most:g}."
    if unpriced:
        line = (
            f"{', '.join(unpriced)}: no price is known, so limits.{name} cannot be judged. "
            "To look it up: biomodal-aws cost --refresh"
        )
    refused = bool(unpriced) or (cost > most and cost >= now)
    outcome = Outcome.REFUSED if refused else Outcome.PASSED
    return Verdict(rule="cost", outcome=outcome, message=line)
