"""Prices: the package's table, and a project's file over it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from biomodal_deploy.errors import UsageError
from biomodal_deploy.review.cost import PRICES_FILE, Prices, _packaged, vcpus_of

GROUP = {
    "as_of": "2026-11-29",
    "source": "AWS Price List API",
    "unit": "hour",
    "prices": {"instance/t3.large": 0.09},
}
FILE = {"regions": {"us-east-1": [GROUP]}}


@pytest.mark.parametrize(
    ("kind", "vcpus"),
    [("m6i.large", 2), ("m6i.xlarge", 4), ("c7i.24xlarge", 96), ("m6i.metal", None), ("m6i", None)],
)
def test_vcpus_by_size(kind: str, vcpus: int | None) -> None:
    """Large has two, each x four; a size that does not say has none."""
    assert vcpus_of(kind) == vcpus


def test_a_type_is_priced_by_itself_or_by_its_family() -> None:
    """m5.4xlarge is 16 of the family's vCPUs; a family without a price has no types either."""
    prices = Prices.of("us-east-1")
    four, own = prices.instance("m5.4xlarge"), prices.instance("t3.large")
    assert four is not None
    assert own is not None
    assert four.amount == pytest.approx(0.768)
    assert four.unit == "hour"
    assert own.amount == 0.0832
    assert prices.instance("zz9.large") is None
    assert prices.instance("m5.metal") is None


def test_each_packaged_price_has_its_day_and_page() -> None:
    """Nothing is told without where it comes from, and nothing of the future."""
    for groups in _packaged().regions.values():
        for group in groups:
            assert group.source.startswith("https://aws.amazon.com/")
            assert group.as_of <= date(2026, 11, 29)


def test_the_projects_prices_count(tmp_path: Path) -> None:
    """Over the package's, with their own day; the others stay."""
    (tmp_path / PRICES_FILE).write_text(json.dumps(FILE))
    prices = Prices.of("us-east-1", tmp_path)
    changed, kept = prices.get("instance/t3.large"), prices.get("address")
    assert changed is not None
    assert (changed.amount, changed.as_of) == (0.09, date(2026, 11, 29))
    assert kept is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"regions": {"nowhere": []}}',
        json.dumps(FILE).replace("0.09", "0"),
        json.dumps(FILE).replace("0.09", "-1"),
        json.dumps(FILE).replace("0.09", "NaN"),
        json.dumps(FILE).replace("0.09", '"free"'),
        json.dumps(FILE).replace("2026-11-29", "yesterday"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    """With the file's name and the way to a right one; a price of nothing is none."""
    (tmp_path / PRICES_FILE).write_text(text)
    with pytest.raises(UsageError) as caught:
        Prices.of("us-east-1", tmp_path)
    assert PRICES_FILE in str(caught.value)


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    """It is no file of prices."""
    (tmp_path / PRICES_FILE).mkdir()
    with pytest.raises(UsageError):
        Prices.of("us-east-1", tmp_path)
