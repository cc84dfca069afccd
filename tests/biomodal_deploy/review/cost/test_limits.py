"""Limits on what a plan may cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from biomodal_deploy.config.settings import Limits
from biomodal_deploy.plan.guards import Outcome
from biomodal_deploy.review.cost import PRICES_FILE
from biomodal_deploy.review.cost.limits import judge_cost
from tests.support.costs import address, batch, documented, machine, references
from tests.support.plans import plan, resource


def outcomes(
    limits: Mapping[str, float], *resources: Any, project: Path = Path(), region: str = "us-east-1"
) -> list[Outcome]:
    """Return what is said of a plan with these resources."""
    found, bounds = plan(*resources, **references()), Limits.model_validate(limits)
    return [each.outcome for each in judge_cost(found, bounds, region, project)]


def test_without_limits_nothing_is_judged(tmp_path: Path) -> None:
    """Nor is a file of prices read."""
    (tmp_path / PRICES_FILE).write_text("{")
    assert outcomes({}, *documented(), project=tmp_path) == []


@pytest.mark.parametrize(
    ("limits", "outcome"),
    [
        ({"max_monthly_usd": 77.0}, Outcome.PASSED),
        ({"max_monthly_usd": 76.0}, Outcome.REFUSED),
        ({"max_hourly_usd": 26}, Outcome.PASSED),
        ({"max_hourly_usd": 25}, Outcome.REFUSED),
    ],
)
def test_a_plan_above_its_limit_is_refused(
    tmp_path: Path, limits: dict[str, float], outcome: Outcome
) -> None:
    """The idle month and the busiest hour have a limit each."""
    assert outcomes(limits, *documented(), project=tmp_path) == [outcome]


def test_what_has_no_price_is_refused(tmp_path: Path) -> None:
    """It may cost anything; the other limit is judged by itself."""
    limits = {"max_monthly_usd": 1e6, "max_hourly_usd": 1e6}
    unpriced = [machine(kind="x9.large", volume_type="gp3"), batch()]
    found = outcomes(limits, *unpriced, project=tmp_path)
    assert found == [Outcome.REFUSED, Outcome.PASSED]
    assert outcomes(limits, address(), project=tmp_path, region="eu-west-2")[0] is Outcome.REFUSED


def test_a_project_may_have_the_price(tmp_path: Path) -> None:
    """What --refresh wrote counts."""
    group = {"as_of": "2026-11-29", "source": "x", "unit": "hour", "prices": {"address": 0.006}}
    (tmp_path / PRICES_FILE).write_text(json.dumps({"regions": {"eu-west-2": [group]}}))
    limits = {"max_monthly_usd": 4.4}
    found = outcomes(limits, address(), project=tmp_path, region="eu-west-2")
    assert found == [Outcome.PASSED]


def test_a_plan_that_lowers_the_cost_passes(tmp_path: Path) -> None:
    """Otherwise the way back below the limit would be closed; one that changes nothing is not."""
    small, large = ({"instance_type": f"t3.{size}"} for size in ("small", "large"))
    lower = resource("aws_instance.vm", "update", before=large, after=small)
    same = resource("aws_instance.vm", "no-op", before=small, after=small)
    limits = {"max_monthly_usd": 1.0}
    assert outcomes(limits, lower, project=tmp_path) == [Outcome.PASSED]
    assert outcomes(limits, same, project=tmp_path) == [Outcome.REFUSED]
