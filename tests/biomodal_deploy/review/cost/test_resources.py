"""What a terabyte costs by the rules of the bucket's life cycle."""

from __future__ import annotations

from typing import Any

import pytest

from biomodal_deploy.review.cost import Prices
from biomodal_deploy.review.cost.estimate import estimate
from biomodal_deploy.review.cost.resources import Stored
from tests.support.costs import lifecycle
from tests.support.plans import plan, resource

MONTH = 1024 * 0.023
WORK = {"id": "work", "filter": [{"prefix": "nf-work/"}], "expiration": [{"days": 14}]}


def stored(*resources: Any, region: str = "us-east-1") -> dict[str, Stored]:
    """Return what is said of data, by what it is about."""
    return {each.what: each for each in estimate(plan(*resources), Prices.of(region)).storage}


def test_without_rules() -> None:
    """Everything stays, at the price of the class that it is written to; so where one is off."""
    found = stored(resource("aws_s3_bucket.data", after={"bucket": "lab"}))
    (only,) = found.values()
    assert only.month == pytest.approx(MONTH)
    assert only.deleted_after is None
    assert "nf-work/" not in stored(lifecycle({**WORK, "status": "Disabled"}))


COLDER = {
    "transition": [{"days": 30, "storage_class": "STANDARD_IA"}],
    "expiration": [{"days": 90}],
}
FORMER = {"noncurrent_version_expiration": [{"noncurrent_days": 30}]}


@pytest.mark.parametrize(
    ("rule", "what", "days"),
    [
        (WORK, "nf-work/", MONTH * 14),  # no more after that
        (COLDER, "the whole bucket", MONTH * 30 + 1024 * 0.0125 * 60),
        # They are kept besides what is current.
        (FORMER, "former versions in the whole bucket", MONTH * 30),
    ],
)
def test_data_that_is_deleted_costs_once(rule: dict[str, Any], what: str, days: float) -> None:
    """Its days of a month's price, in each class from its day on."""
    found = stored(lifecycle(rule))[what]
    assert found.total == pytest.approx(days * 24 / 730, abs=1e-3)
    assert what != "nf-work/" or found.deleted_after == 14
    assert rule is not COLDER or found.later == ((30, "STANDARD_IA", 12.8),)


def test_without_a_price_nothing_is_summed() -> None:
    """Unknown, not zero."""
    found = stored(lifecycle(WORK), region="eu-west-2")["nf-work/"]
    assert (found.month, found.total) == (None, None)
