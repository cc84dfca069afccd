"""One member more in a JSON text, and every other character as it was."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from biomodal_deploy.workflow.init.json_text import with_member
from tests.support.project import ROOT

PATH = ("context", "stacks", "dev")
ENTRY: dict[str, JsonValue] = {"bootstrap": "native", "var_files": ["environments/dev.tfvars"]}


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


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@settings(max_examples=40)
@given(
    rest=st.dictionaries(st.text(max_size=5), _VALUES, max_size=4),
    others=st.dictionaries(st.text(max_size=5), _VALUES, max_size=4),
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
