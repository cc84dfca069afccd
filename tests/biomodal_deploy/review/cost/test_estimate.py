"""What an environment costs, against sums by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from biomodal_deploy.review.cost import Prices
from biomodal_deploy.review.cost.estimate import Estimate, estimate
from tests.support.costs import address, batch, documented, machine, references, template
from tests.support.plans import plan, resource


def estimated(*resources: Any, region: str = "us-east-1", **more: Any) -> Estimate:
    """Return the estimate of a plan with these resources."""
    return estimate(plan(*resources, **references()), Prices.of(region), **more)


def amounts(found: Estimate) -> dict[str, float | None]:
    """Return every line's amount by what it is."""
    return {line.what: line.amount for line in (*found.idle, *found.busiest)}


def test_the_documented_stack_by_hand() -> None:
    """Line by line: hours of a month by AWS's price for each."""
    assert amounts(estimated(*documented())) == {
        "VM t3.large": pytest.approx(730 * 0.0832),
        "VM's volume, 100 GB gp2": pytest.approx(100 * 0.10),
        "detailed monitoring": pytest.approx(7 * 0.30),
        "public IPv4 address": pytest.approx(730 * 0.005),
        "256 vCPUs Spot at its ceiling (optimal)": pytest.approx(256 * 0.063),
        "volumes of 128 hosts, 500 GB gp2 each": pytest.approx(128 * 500 * 0.10 / 730, abs=1e-4),
        "public addresses of 128 hosts, where given": pytest.approx(128 * 0.005),
    }


@pytest.mark.parametrize(
    ("changed", "of", "difference"),
    [
        ([machine(kind="t3.medium"), address(), batch(), template()], "month", -730 * 0.0416),
        ([machine(size=200), address(), batch(), template()], "month", 100 * 0.10),
        ([machine(), batch(), template()], "month", -730 * 0.005),
        ([machine(), address(), batch(max_vcpus=128), template()], "hour", None),
        ([machine(), address(), batch(bid_percentage=50), template()], "hour", -128 * 0.063),
        ([machine(), address(), batch(), template(size=100)], "hour", -128 * 400 * 0.1 / 730),
    ],
)
def test_it_changes_with_the_plan(changed: Any, of: str, difference: float | None) -> None:
    """Type, size, address, vCPUs, Spot's share and the hosts' disks each move their own sum."""
    base, other = estimated(*documented()).after, estimated(*changed).after
    if difference is None:
        assert getattr(other, of) == pytest.approx(getattr(base, of) / 2, abs=1e-3)
    else:
        assert getattr(other, of) - getattr(base, of) == pytest.approx(difference, abs=1e-3)


def test_what_has_no_price_is_named_and_in_no_sum() -> None:
    """A type that nobody priced is unknown, never zero, and no budget is proposed."""
    found = estimated(machine(kind="x9.metal", volume_type="gp3"), batch(instance_type=["zz9"]))
    lines = {line.what: line for line in (*found.idle, *found.busiest)}
    assert lines["VM x9.metal"].amount is None
    assert "VM x9.metal (aws_instance.vm)" in found.unpriced
    assert "256 vCPUs Spot at its ceiling (zz9) (aws_batch_compute_environment.batch)" in (
        found.unpriced
    )
    assert found.work is not None
    assert found.work.most is None
    assert found.proposed_budget is None
    assert found.after.month == pytest.approx(100 * 0.08 + 2.10)


def test_a_region_without_prices_has_none() -> None:
    """No figure of another region is taken."""
    found = estimated(*documented(), region="eu-west-2")
    assert {line.amount for line in (*found.idle, *found.busiest)} == {None}
    assert found.oldest is None
    assert len(found.unpriced) == len(found.idle) + len(found.busiest)


ENVIRONMENT = "aws_batch_compute_environment.batch"
VM = 730 * 0.0832 + 8 + 2.1


def endpoint(kind: str, **values: Any) -> Any:
    """Return a VPC endpoint."""
    return resource("aws_vpc_endpoint.s3", after={"vpc_endpoint_type": kind, **values})


@pytest.mark.parametrize(
    ("resources", "before", "after"),
    [
        # t3.large, 100 GB gp3 and an address were about 72 US dollars a month in 2026.
        ([machine(volume_type="gp3"), address()], 0, 72.39 + 7 * 0.30),
        # A destroy ends the cost; what only the state forgets goes on costing.
        ([machine("delete", volume_type="gp3"), address("no-op")], VM + 3.65, 3.65),
        ([resource("aws_eip.public_ip", "forget", before={"domain": "vpc"})], 3.65, 3.65),
        # A plan without changes has the same sums before and after, and not zero.
        ([machine("no-op", volume_type="gp3"), batch("no-op"), template("no-op")], VM, VM),
        # Hosts that are never let go cost while idle, at the dearest family's price.
        ([batch(min_vcpus=4, instance_type=["m5", "r5"])], 0, 4 * 730 * 0.063),
        # An interface is charged in each subnet; a gateway is free.
        ([endpoint("Interface", subnet_ids=["a", "b"])], 0, 2 * 730 * 0.01),
        ([endpoint("Gateway")], 0, 0),
    ],
)
def test_before_and_after(resources: list[Any], before: float, after: float) -> None:
    """An idle month costs what is there before the plan, and what is there after it."""
    found = estimated(*resources)
    assert (found.before.month, found.after.month) == pytest.approx((before, after), abs=0.01)


def test_the_busiest_hour() -> None:
    """What does not change costs as well; a disabled environment starts nothing."""
    same = estimated(machine("no-op", volume_type="gp3"), batch("no-op"), template("no-op"))
    assert same.before == same.after
    assert same.after.hour > 16
    values = {"state": "DISABLED", "compute_resources": [{"max_vcpus": 256}]}
    assert estimated(resource(ENVIRONMENT, after=values)).busiest == ()


def test_performance_over_what_gp3_includes() -> None:
    """3,000 IOPS and 125 MiB/s are included, the rest is charged."""
    found = amounts(estimated(machine(volume_type="gp3", iops=4000, throughput=225)))
    assert found["VM's volume's IOPS over 3,000"] == pytest.approx(1000 * 0.005)
    assert found["VM's volume's throughput over 125 MiB/s"] == pytest.approx(100 * 0.04)


def test_work_and_budget() -> None:
    """Core hours from the cheapest to the dearest family; the budget covers the dearest."""
    found = estimated(*documented(), core_hours=5000)
    assert found.work is not None
    assert (found.work.least, found.work.most) == (212.5, 315)
    budget = found.proposed_budget
    assert budget is not None
    assert budget % 10 == 0
    assert 0 <= budget - (found.after.month + 315) < 10


def test_an_attribute_of_another_shape_is_unknown() -> None:
    """Nothing is made up where a provider writes an attribute in a way that is not known."""
    found = estimated(resource("aws_instance.vm", after={"instance_type": ["t3.large"]}))
    assert [line.amount for line in found.idle] == [None]


def test_old_prices_are_marked() -> None:
    """After 90 days, by the oldest price in use."""
    found = estimated(address())
    assert found.oldest is not None
    assert not found.is_stale(found.oldest)
    assert found.is_stale(date(2030, 1, 1))
