"""A new file of variables says what was answered, and what there is besides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biomodal_deploy.config.contract import variables_of
from biomodal_deploy.config.tfvars.hcl import attributes, expression
from biomodal_deploy.workflow.init import Answers
from biomodal_deploy.workflow.init.tfvars import hcl, tfvars_text

KINDS = [
    ("module", "documented"),
    ("native", "documented"),
    ("module", "hardened"),
    ("native", "hardened"),
    ("prerequisites", "documented"),
]


@pytest.mark.parametrize(("bootstrap", "profile"), KINDS)
def test_every_variable_is_there_with_its_description(bootstrap: str, profile: str) -> None:
    """With the # taken away, each default reads as the contract has it."""
    answers = Answers("dev", {"bootstrap": bootstrap, "profile": profile}, {"region": "eu-west-2"})
    text = tfvars_text(answers)
    given = attributes(text)
    assert {name: each.value for name, each in given.items()} == {"region": "eu-west-2"}
    all_set = "\n".join(
        line.removeprefix("# ") if " = " in line else line for line in text.splitlines()
    )
    found = attributes(all_set)
    for variable in variables_of(bootstrap, profile):
        assert f"# {variable.description}\n" in text
        if variable.name != "region":
            default = variable.default
            wanted = list(default) if isinstance(default, tuple) else default
            assert found[variable.name].value == wanted


_VALUES = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=20) | st.just('${x} %{if} \\ " $${'),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)


@given(_VALUES)
def test_what_is_written_is_what_is_read(value: object) -> None:
    """Quotes, line ends and the marks of templates come through as they are."""
    assert expression(hcl(value)) == value  # type: ignore[arg-type]
