"""The account of what an environment costs, on screen and as data."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from biomodal_deploy.cli.render.costs import cost_data, cost_summary, show_cost
from biomodal_deploy.plan.sealed import SealedPlan
from biomodal_deploy.review.cost import PRICES_FILE, Prices
from biomodal_deploy.review.cost.estimate import estimate
from tests.support import screens
from tests.support.costs import address, documented, machine, references
from tests.support.plans import plan, resource
from tests.support.sealed_plans import sealed

TODAY = date(2026, 11, 29)


def sealed_plan_of(folder: Path, *resources: Any, region: str = "us-east-1") -> SealedPlan:
    """Seal a plan with these resources."""
    return sealed(folder / "plans", of=plan(*resources, **references()), region=region)


def printed(sealed_plan: SealedPlan) -> str:
    """Return the account as it stands on a terminal of 80 columns."""
    found = estimate(sealed_plan.plan(), Prices.of(sealed_plan.manifest.facts.region or ""))
    return screens.printed(lambda on: show_cost(on, sealed_plan.manifest, found, TODAY))


def summary(sealed_plan: SealedPlan, project: Path) -> str | None:
    """Return the one line that a plan's view has."""
    return cost_summary(sealed_plan.plan(), sealed_plan.manifest, project)


def test_the_account_has_each_line_and_its_sum(tmp_path: Path) -> None:
    """How many units at which price, what it comes to, and both sums before and after."""
    lines = [
        " ".join(line.split())
        for line in printed(sealed_plan_of(tmp_path, *documented())).split("\n")
    ]
    for line in (
        "Idle, a month 76.49",
        "VM t3.large 730 x 0.0832 60.74",
        "Busiest hour, at most 25.54",
        "On-Demand, cheapest to dearest family 42.50 to 63.00",
        "This plan: 0.00 -> 76.49 a month while idle",
    ):
        assert line in lines
    assert all(
        len(line) <= 80
        for line in printed(sealed_plan_of(tmp_path / "b", machine())).split("\n")[:9]
    )


def test_what_has_no_price_is_unknown(tmp_path: Path) -> None:
    """Never 0.00, and the sum says that it is not whole."""
    text = printed(sealed_plan_of(tmp_path, machine(kind="x9.large"), address()))
    assert "at least" in text
    assert "unknown" in text
    assert "VM x9.large (aws_instance.vm)" in " ".join(text.split())


def test_the_line_of_a_plan(tmp_path: Path) -> None:
    """Both sums where they change, nothing where they do not, and no price where none is known."""
    line = summary(sealed_plan_of(tmp_path / "a", *documented()), tmp_path)
    assert line is not None
    assert "0.00 -> 76.49" in line
    assert summary(sealed_plan_of(tmp_path / "b", address("no-op")), tmp_path) is None
    assert summary(sealed_plan_of(tmp_path / "c", resource("aws_iam_role.vm")), tmp_path) is None
    unknown = summary(sealed_plan_of(tmp_path / "d", machine(), region="eu-west-2"), tmp_path)
    assert unknown is not None
    assert "cost --refresh" in unknown


def test_spoilt_prices_do_not_stop_a_plan(tmp_path: Path) -> None:
    """The plan is sealed by then: its line says what is wrong with the file."""
    (tmp_path / PRICES_FILE).write_text("{")
    line = summary(sealed_plan_of(tmp_path, *documented()), tmp_path)
    assert line is not None
    assert PRICES_FILE in line


def test_as_data(tmp_path: Path) -> None:
    """Plain JSON, with each price's day and source, and null for what is not known."""
    sealed_plan = sealed_plan_of(tmp_path, machine(kind="x9.large"), address())
    found = estimate(sealed_plan.plan(), Prices.of("us-east-1"))
    data = json.loads(json.dumps(cost_data(sealed_plan.manifest, found, TODAY)))
    vm, *_ = (line for line in data["idle"] if line["address"] == "aws_instance.vm")
    own, *_ = (line for line in data["idle"] if line["address"] == "aws_eip.public_ip")
    assert vm["amount"] is None
    assert own["price"]["as_of"] == "2026-01-31"
    assert data["currency"] == "USD"
    assert data["proposed_budget"] is None


def test_a_file_gets_no_blanks_up_to_an_edge(tmp_path: Path) -> None:
    """Sums stand behind their lines where there is no screen, however wide it would be."""
    made = sealed_plan_of(tmp_path, *documented())
    found = estimate(made.plan(), Prices.of("us-east-1"))
    wide = screens.printed(lambda on: show_cost(on, made.manifest, found, TODAY), 400)
    assert max(len(line) for line in wide.splitlines() if "  " in line) < 200
