"""Looking prices up: AWS's answers in their documented shape, since there is no account here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.errors import EngineError
from biomodal_deploy.review.cost import PRICES_FILE, Prices
from biomodal_deploy.review.cost.estimate import estimate
from biomodal_deploy.review.cost.refresh import refresh
from tests.support.costs import address, batch, documented, machine, references
from tests.support.plans import plan
from tests.support.recorded_aws import Given, Parameters, RecordedAws, Refusal

TODAY: Final = date(2026, 11, 29)
# By region: the VM's type, a family's 4xlarge, the volumes, the address, the bucket.
# By region: the VM's type, a family's 4xlarge, the volumes, the bucket; two are as everywhere.
_FIGURES: Final = {
    "eu-west-2": (0.0944, 1.184, 0.116, 0.0928, 0.024),
    "ap-southeast-2": (0.1056, 1.216, 0.12, 0.096, 0.025),
}
LISTED: Final = {
    region: {
        "t3.large": vm,
        **dict.fromkeys((f"{each}.4xlarge" for each in ("m6i", "c6i", "r6i", "c7i")), family),
        "gp2": gp2,
        "gp3": gp3,
        "PublicIPv4:InUseAddress": 0.005,
        "CW:MetricMonitorUsage": 0.30,
        "Standard": bucket,
    }
    for region, (vm, family, gp2, gp3, bucket) in _FIGURES.items()
}
SPOT: Final = {
    "SpotPriceHistory": [
        {"InstanceType": "m6i.4xlarge", "SpotPrice": price} for price in ("0.3200", "0.2400")
    ]
}


def price_list(prices: Mapping[str, float]) -> Any:
    """Return what answers GetProducts, in the shape that AWS documents."""

    def answer(asked: Parameters) -> Given:
        filters = {each["Field"]: each["Value"] for each in asked["Filters"]}
        return {
            "PriceList": [
                _offer(name, filters, amount)
                for name, amount in prices.items()
                if _is_asked_for(name, filters)
            ]
        }

    return answer


def _is_asked_for(name: str, filters: Mapping[str, str]) -> bool:
    told = [
        filters[each] for each in ("instanceType", "volumeApiName", "volumeType") if each in filters
    ]
    return name in told if told else ":" in name or name.endswith("Keys")


def _offer(name: str, filters: Mapping[str, str], amount: float) -> str:
    kind = filters.get("volumeApiName", "")
    usage = {"volumeApiName": f"EU-EBS:VolumeUsage.{kind}", "volumeType": "EU-TimedStorage-Bytes"}
    told = next((usage[each] for each in usage if each in filters), f"EUW2-{name}")
    dimension = {
        "unit": "Hrs",
        "beginRange": "0",
        "endRange": "Inf",
        "pricePerUnit": {"USD": f"{amount:.10f}"},
    }
    return json.dumps(
        {
            "product": {
                "productFamily": "Any",
                "attributes": {"usagetype": told, "vcpu": "16", **filters},
                "sku": "RECORDED",
            },
            "serviceCode": "AmazonEC2",
            "terms": {"OnDemand": {"RECORDED.T": {"priceDimensions": {"RECORDED.T.D": dimension}}}},
            "version": "20261101000000",
        }
    )


def asked(region: str, project: Path, *resources: Any) -> dict[str, str]:
    """Look the prices of a plan up in a region."""
    account = RecordedAws(
        {"pricing.GetProducts": price_list(LISTED[region]), "ec2.DescribeSpotPriceHistory": SPOT}
    )
    clients = Clients(account.session(region), region)
    return dict(refresh(plan(*resources, **references()), clients, project, TODAY))


@pytest.mark.parametrize("region", LISTED)
def test_the_documented_stack_in_another_region(tmp_path: Path, region: str) -> None:
    """Line by line by hand, with prices that were looked up; Spot at the dearest zone."""
    asked(region, tmp_path, *documented())
    listed = LISTED[region]
    prices = Prices.of(region, tmp_path)
    found = estimate(plan(*documented(), **references()), prices)
    per_vcpu = listed["m6i.4xlarge"] / 16
    by_hand = {
        "VM t3.large": 730 * listed["t3.large"],
        "VM's volume, 100 GB gp2": 100 * listed["gp2"],
        "detailed monitoring": 7 * 0.30,
        "public IPv4 address": 730 * 0.005,
        "256 vCPUs Spot at its ceiling (optimal)": 256 * per_vcpu,
        "volumes of 128 hosts, 500 GB gp2 each": 128 * 500 * listed["gp2"] / 730,
        "public addresses of 128 hosts, where given": 128 * 0.005,
    }
    lines = {line.what: line.amount for line in (*found.idle, *found.busiest)}
    assert lines == {name: pytest.approx(amount, abs=1e-3) for name, amount in by_hand.items()}
    assert found.work is not None
    assert found.work.spot == pytest.approx(1000 * 0.32 / 16)
    assert found.oldest == TODAY
    assert found.unpriced == ()


def test_what_was_not_found_is_told(tmp_path: Path) -> None:
    """By name, with why; what was found is kept."""
    missing = asked("eu-west-2", tmp_path, machine(kind="p5.48xlarge"), address())
    assert "instance/p5.48xlarge" in missing
    assert "address" not in missing


def test_other_regions_stay(tmp_path: Path) -> None:
    """Each region's prices are its own."""
    for region in LISTED:
        asked(region, tmp_path, machine(), batch())
    prices = {each: Prices.of(each, tmp_path).get("instance/t3.large") for each in LISTED}
    assert {each: price and price.amount for each, price in prices.items()} == {
        "eu-west-2": 0.0944,
        "ap-southeast-2": 0.1056,
    }


def test_without_permission_nothing_is_written(tmp_path: Path) -> None:
    """The action that is missing is named, and the project stays as it was."""
    denied = Refusal("AccessDeniedException", "not authorized to perform: pricing:GetProducts", 400)
    account = RecordedAws(
        {"pricing.GetProducts": denied, "ec2.DescribeSpotPriceHistory": Refusal("AccessDenied")}
    )
    clients = Clients(account.session("eu-west-2"), "eu-west-2")
    with pytest.raises(EngineError) as caught:
        refresh(plan(machine(), batch(), **references()), clients, tmp_path, TODAY)
    assert "pricing:GetProducts" in str(caught.value)
    assert not (tmp_path / PRICES_FILE).exists()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"product": 1}', '{"product": {}, "terms": {"OnDemand": {"a": 1}}}']
)
def test_a_hostile_answer_is_no_price(tmp_path: Path, text: str) -> None:
    """An offer of another shape is left out."""
    account = RecordedAws(
        {
            "pricing.GetProducts": {"PriceList": [text]},
            "ec2.DescribeSpotPriceHistory": {"SpotPriceHistory": []},
        }
    )
    clients = Clients(account.session("eu-west-2"), "eu-west-2")
    missing = refresh(plan(machine()), clients, tmp_path, TODAY)
    assert "instance/t3.large" in missing
