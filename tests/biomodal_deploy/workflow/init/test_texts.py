"""A new file of variables says what was answered, and what there is besides."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from biomodal_deploy.config.contract import variables_of
from biomodal_deploy.config.tfvars.hcl import attributes, expression
from biomodal_deploy.workflow.init import Answers
from biomodal_deploy.workflow.init.texts import hcl, tfvars_text, with_member
from tests.support.project import ROOT

KINDS = [
    ("module", "documented"),
    ("native", "documented"),
    ("module", "hardened"),
    ("native", "hardened"),
    ("prerequisites", "documented"),
]

PATH = ("context", "stacks", "dev")
ENTRY: dict[str, JsonValue] = {"bootstrap": "native", "var_files": ["environments/dev.tfvars"]}


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


def added(text: str) -> str:
    """Return a text with the entry, which must be what JSON makes of it."""
    return with_member(text, PATH, ENTRY)


def test_the_shipped_file_keeps_all_its_lines() -> None:
    """Only lines are added, in the file's own indentation, and the comma before them."""
    before = (ROOT / "cdktf.json").read_text()
    after = added(before)
    new = [line for line in after.splitlines() if line not in before.splitlines()]
    assert new[:3] == ["      },", '      "dev": {', '        "bootstrap": "native",']
    assert after.startswith(before[: before.index('"profile"')])
    assert json.loads(after)["context"]["stacks"]["dev"] == ENTRY


def lines(*texts: str, end: str = "\n") -> str:
    """Return a text of several lines."""
    return end.join(texts)


_FORMS = {
    "one line": (
        '{"context": {"stacks": {"a": {}}}, "app": "x"}',
        '{"context": {"stacks": {"a": {}, "dev": 1}}, "app": "x"}',
    ),
    "tabs, empty": (
        lines("{", '\t"context": {', '\t\t"stacks": {}', "\t}", "}", ""),
        lines("{", '\t"context": {', '\t\t"stacks": {', '\t\t\t"dev": 1', "\t\t}", "\t}", "}", ""),
    ),
    "line ends of another system": (
        lines('{ "context": {"stacks": {', '  "a": {}', "}}}", end="\r\n"),
        lines('{ "context": {"stacks": {', '  "a": {},', '  "dev": 1', "}}}", end="\r\n"),
    ),
    "nothing there": (
        lines("{", ' "app": "x"', "}"),
        lines(
            "{",
            ' "app": "x",',
            ' "context": {',
            '  "stacks": {',
            '   "dev": 1',
            "  }",
            " }",
            "}",
        ),
    ),
    "look-alike": (
        lines("{", ' "note": "\\"context\\": {",', ' "context": {"stacks": {"a":1}}', "}"),
        lines(
            "{",
            ' "note": "\\"context\\": {",',
            ' "context": {"stacks": {"a":1, "dev": 1}}',
            "}",
        ),
    ),
}


@pytest.mark.parametrize("form", _FORMS)
def test_it_follows_the_files_own_form(form: str) -> None:
    """Line ends, tabs and the form of the object are those of the file."""
    before, after = _FORMS[form]
    assert with_member(before, PATH, 1) == after


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@settings(max_examples=40)
@given(
    rest=st.dictionaries(st.text(max_size=5), _JSON, max_size=4),
    others=st.dictionaries(st.text(max_size=5), _JSON, max_size=4),
    indent=st.sampled_from([None, 2, 4, "\t"]),
)
def test_whatever_the_file_holds_it_holds_still(
    rest: dict[str, object], others: dict[str, object], indent: int | str | None
) -> None:
    """The result is the same JSON with one member more, and nothing before it has changed."""
    others.pop("dev", None)
    document = {**rest, "context": {"stacks": others}}
    before = json.dumps(document, indent=indent)
    after = added(before)
    document["context"] = {"stacks": {**others, "dev": ENTRY}}
    assert json.loads(after) == document
    assert list(json.loads(after)) == list(document)
