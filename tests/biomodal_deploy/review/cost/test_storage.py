"""What a terabyte costs by the rules of the bucket's life cycle."""

from __future__ import annotations

from typing import Any

import pytest

from biomodal_deploy.review.cost import Prices, Stored, estimate
from tests.support.costs import lifecycle
from tests.support.plans import plan, resource

MONTH = 1024 * 0.023
WORK = {"id": "work", "filter": [{"prefix": "nf-work/"}], "expiration": [{"days": 14}]}


def stored(*resources: Any, region: str = "us-east-1") -> dict[str, Stored]:
    """Return what is said of data, by what it is about."""
    return {each.what: each for each in estimate(plan(*resources), Prices.of(region)).storage}


def test_without_rules() -> None:
    """Everything stays, at the price of the class that it is written to."""
    found = stored(resource("aws_s3_bucket.data", after={"bucket": "lab"}))
    (only,) = found.values()
    assert only.month == pytest.approx(MONTH)
    assert only.deleted_after is None


def test_data_that_is_deleted_costs_once() -> None:
    """14 days of a month's price, and no more after that."""
    found = stored(lifecycle(WORK))["nf-work/"]
    assert found.deleted_after == 14
    assert found.total == pytest.approx(MONTH * 14 * 24 / 730, abs=1e-3)


def test_colder_classes_count_from_their_day() -> None:
    """30 days in the first class, 60 in the second."""
    moved = {"days": 30, "storage_class": "STANDARD_IA"}
    found = stored(lifecycle({"expiration": [{"days": 90}], "transition": [moved]}))
    whole = found["the whole bucket"]
    assert whole.later == ((30, "STANDARD_IA", 12.8),)
    by_hand = MONTH * 30 * 24 / 730 + 1024 * 0.0125 * 60 * 24 / 730
    assert whole.total == pytest.approx(by_hand, abs=1e-3)


def test_former_versions_have_a_line_of_their_own() -> None:
    """They are kept besides what is current."""
    rule = {"noncurrent_version_expiration": [{"noncurrent_days": 30}]}
    found = stored(lifecycle(rule))["former versions in the whole bucket"]
    assert found.total == pytest.approx(MONTH * 30 * 24 / 730, abs=1e-3)


def test_a_rule_that_is_off_does_nothing() -> None:
    """Its data stays."""
    assert "nf-work/" not in stored(lifecycle({**WORK, "status": "Disabled"}))


def test_without_a_price_nothing_is_summed() -> None:
    """Unknown, not zero."""
    found = stored(lifecycle(WORK), region="eu-west-2")["nf-work/"]
    assert (found.month, found.total) == (None, None)
