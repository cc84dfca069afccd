"""Tests for biomodal_deploy.plan.secrets: no canary survives, wherever it is planted."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biomodal_deploy.plan import read_plan
from tests.support.canaries import PLACES, canaries, planted, with_copies
from tests.support.examples import examples
from tests.support.plans import document, encoded, resource


@pytest.mark.parametrize("place", PLACES)
@examples(25)
@given(data=st.data())
def test_no_canary_survives(place: str, data: st.DataObject) -> None:
    """Planted at any marked place, and copied unmarked everywhere else, it is nowhere after."""
    word, secret = data.draw(canaries())
    value, marks = data.draw(planted(secret))
    plan, redactor = read_plan(encoded(with_copies(PLACES[place](value, marks), secret)))
    # `sensitive_values` may name places; the secret itself must be gone from all that is emitted.
    assert word not in plan.to_changes().decode()
    assert word not in repr(plan)
    assert word not in "".join(repr(change.attributes) for change in plan.resource_changes)
    assert word not in redactor.text(f"Error: bad value {secret}!")
    assert word not in redactor.text(json.dumps({"@message": f"value {secret}"}))


@pytest.mark.parametrize("name", ["user_data", "user_data_base64"])
@pytest.mark.parametrize("part", ["resource_changes", "resource_drift"])
def test_user_data_does_not_survive(name: str, part: str) -> None:
    """Nor a copy of it, such as the one that a template resource renders."""
    script = "#!/bin/sh\nexport TOKEN=cnry1234\n"
    parts = [
        resource("aws_instance.vm", "update", {"user_data": "old"}, {name: script}),
        resource("cloudinit.x", "create", None, {"rendered": script, "part": [{"x": script}]}),
    ]
    plan, _ = read_plan(encoded({**document(), part: parts}))
    assert b"cnry1234" not in plan.to_changes()


def test_a_secret_equal_to_a_part_of_an_address_hides_no_address() -> None:
    """The guards must find an object where the configuration spells it."""
    gone = resource("module.bootstrap.aws_instance.default", "delete", {"x": "bootstrap"})
    configuration = {"root_module": {"variables": {"v": {"sensitive": True}}}}
    variables = {"v": {"value": "bootstrap"}}
    found = document(gone, variables=variables, configuration=configuration)
    plan, _ = read_plan(encoded(found))
    assert plan.deletes[0].address == "module.bootstrap.aws_instance.default"
