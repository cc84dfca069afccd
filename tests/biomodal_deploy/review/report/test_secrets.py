"""No canary reaches any format, wherever in the plan it was planted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biomodal_deploy.plan import read_plan
from biomodal_deploy.workflow.reporting import ReportFormat
from tests.support.canaries import PLACES, canaries, planted, with_copies
from tests.support.everything import CANARY, everything
from tests.support.examples import examples
from tests.support.plans import document, encoded, resource
from tests.support.reports import report, written


@pytest.mark.parametrize("place", PLACES)
@examples(6)
@given(data=st.data())
def test_no_canary_in_any_format(place: str, data: st.DataObject) -> None:
    """Planted at any marked place and copied unmarked everywhere else, it is in no report."""
    word, secret = data.draw(canaries())
    value, marks = data.draw(planted(secret))
    raw = encoded(with_copies(PLACES[place](value, marks), secret))
    paths = {"aws_copy.c": f"stack/{secret}/copy"}
    plan, _ = read_plan(raw, paths)
    for format_ in ReportFormat:
        assert word not in written(report(plan), format_)


def test_user_data_and_construct_paths() -> None:
    """A start-up script is hidden whole, and a secret in a construct's path as well."""
    script = f"#!/bin/sh\nexport TOKEN={CANARY}\n"
    raw = encoded(
        document(
            resource("aws_instance.vm", "update", {"user_data": "old"}, {"user_data": script}),
            resource("aws_x.y", "create", None, {"s": CANARY}, after_sensitive={"s": True}),
        )
    )
    plan, _ = read_plan(raw, {"aws_x.y": f"stack/{CANARY}/x"})
    for format_ in ReportFormat:
        assert CANARY not in written(report(plan), format_)


def test_everything_at_once() -> None:
    """Nor in a plan that has all there is."""
    plan, _ = read_plan(encoded(everything(120)))
    for format_ in ReportFormat:
        text = written(report(plan), format_)
        assert CANARY not in text
        assert "transmogrify" in text
