"""Terraform's lines become typed events, and none is lost."""

from __future__ import annotations

import json
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from biomodal_deploy.engine.process import Line
from biomodal_deploy.engine.terraform.events import (
    ApplyEvent,
    ChangeEvent,
    DiagnosticEvent,
    LogEvent,
    OutputsEvent,
    ProvisionEvent,
    RefreshEvent,
    SummaryEvent,
    TextLine,
    UnknownEvent,
    VersionEvent,
    parse,
    spellings,
)

RESOURCE = {
    "addr": "module.a.aws_instance.vm[0]",
    "module": "module.a",
    "resource": "aws_instance.vm[0]",
    "implied_provider": "aws",
    "resource_type": "aws_instance",
    "resource_name": "vm",
    "resource_key": 0,
}


def event(kind: str, **fields: object) -> str:
    """Return a line as Terraform writes it."""
    common = {"@level": "info", "@message": "words", "@module": "terraform.ui", "@timestamp": "t"}
    return json.dumps(common | fields | {"type": kind})


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (event("version", terraform="1.11.4", ui="1.2"), VersionEvent),
        (event("version", tofu="1.9.0", ui="1.2"), VersionEvent),
        (event("log"), LogEvent),
        (event("init_output", message_code="initializing_backend_message"), LogEvent),
        (event("planned_change", change={"resource": RESOURCE, "action": "create"}), ChangeEvent),
        (event("resource_drift", change={"resource": RESOURCE, "action": "update"}), ChangeEvent),
        (event("change_summary", changes={"add": 1, "import": 2}), SummaryEvent),
        (event("outputs", outputs={"o": {"sensitive": True, "action": "create"}}), OutputsEvent),
        (event("outputs", outputs={"o": {"sensitive": False, "value": [1]}}), OutputsEvent),
        (event("apply_start", hook={"resource": RESOURCE, "action": "create"}), ApplyEvent),
        (event("apply_errored", hook={"resource": RESOURCE, "action": "create"}), ApplyEvent),
        (event("provision_progress", hook={"resource": RESOURCE, "output": "x"}), ProvisionEvent),
        (event("refresh_complete", hook={"resource": RESOURCE}), RefreshEvent),
        (event("diagnostic", diagnostic={"severity": "error", "summary": "s"}), DiagnosticEvent),
    ],
)
def test_known_events(line: str, kind: type) -> None:
    """Each documented type becomes its own class, with Terraform's words kept."""
    parsed = parse(Line("stdout", line))
    assert type(parsed) is kind
    assert getattr(parsed, "message", None) == "words"


def test_a_change_keeps_what_a_reader_needs() -> None:
    """Address, action and reason of a planned change survive, with an action nobody knows too."""
    change = {"resource": RESOURCE, "action": "transmute", "reason": "tainted"}
    parsed = parse(Line("stdout", event("planned_change", change=change)))
    assert isinstance(parsed, ChangeEvent)
    assert parsed.change.resource.addr == "module.a.aws_instance.vm[0]"
    assert (parsed.change.action, parsed.change.reason) == ("transmute", "tainted")


def test_output_values_are_not_kept() -> None:
    """The value of an output does not travel through events."""
    parsed = parse(Line("stdout", event("outputs", outputs={"o": {"value": "canary"}})))
    assert "canary" not in repr(parsed)


@pytest.mark.parametrize(
    ("line", "expected"),
    [(event("teleport", to="mars"), "teleport"), (event("apply_start", hook=7), "apply_start")],
)
def test_unknown_events_are_kept(line: str, expected: str) -> None:
    """A type or a shape of a later Terraform is kept with all its fields, and breaks nothing."""
    parsed = parse(Line("stdout", line))
    assert isinstance(parsed, UnknownEvent)
    assert (parsed.type, parsed.message) == (expected, "words")
    assert parsed.fields["@timestamp"] == "t"


@pytest.mark.parametrize("text", ["", "plain", '{"half": ', "[1]", '{"type": 3}', "{}", "null"])
def test_what_is_no_event_is_text(text: str) -> None:
    """Lines that are no events come through as text."""
    assert parse(Line("stderr", text)) == TextLine(text, "stderr")


def test_text_has_no_colours() -> None:
    """Colours are taken out of text."""
    assert parse(Line("stderr", "\x1b[31mError: \x1b[0mx")) == TextLine("Error: x", "stderr")


def test_a_cut_line_is_short_text() -> None:
    """Half an event is no event: its beginning stays as text, with what is missing."""
    parsed = parse(Line("stdout", '{"type": "log", "x": "' + "y" * 100_000, left_out=9))
    assert isinstance(parsed, TextLine)
    assert (len(parsed.text), parsed.left_out) == (4096, 9)


@given(st.text())
def test_no_line_breaks_the_reader(text: str) -> None:
    """Whatever is printed, something is returned."""
    assert parse(Line("stdout", text)) is not None


TYPES: Final = st.sampled_from(
    [
        *("version", "log", "diagnostic", "planned_change", "change_summary", "outputs"),
        *("apply_start", "provision_progress", "refresh_complete", "teleport"),
    ]
)
KEYS: Final = st.sampled_from(
    [
        *("type", "@level", "@message", "@timestamp", "terraform", "hook", "change", "changes"),
        *("diagnostic", "severity", "summary", "detail", "range", "start", "line", "snippet"),
        *("resource", "addr", "action", "outputs", "x", "value", "sensitive", "add", "import"),
        *("elapsed_seconds", ""),
    ]
)
LEAVES: Final = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | TYPES
    | st.sampled_from([10**30, -(10**400), "\ud800", "error", "e\u0301"])
)
ANYTHING: Final = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(
    st.fixed_dictionaries({"type": TYPES | ANYTHING}),
    st.dictionaries(KEYS.filter(lambda key: key != "type"), ANYTHING, max_size=6),
    st.booleans(),
)
@example({"type": "log"}, {"@message": "\ud800"}, True)
def test_no_json_breaks_the_reader(
    typed: dict[str, object], fields: dict[str, object], ascii_only: bool
) -> None:
    """Whatever object is printed, something is returned."""
    text = json.dumps({**typed, **fields}, ensure_ascii=ascii_only)
    # A line is text by now: what is no UTF-8 has been replaced.
    assert parse(Line("stdout", text.encode(errors="replace").decode())) is not None


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        ("simple", "x simple x"),
        ('with "quotes"', '{"v":"with \\"quotes\\""}'),
        ("a<b>&c", '{"v":"a\\u003cb\\u003e\\u0026c"}'),
        ("first line\n  second line", "  second line"),
        ("first line\nthen <another>", '{"v":"then \\u003canother\\u003e"}'),
        ("tab\there", '{"v":"tab\\there"}'),
    ],
)
def test_spellings_cover_what_terraform_prints(value: str, printed: str) -> None:
    """A secret is found as text, as JSON, as Go writes JSON, and line by line."""
    assert any(spelling in printed for spelling in spellings(value))


def test_spellings_leave_short_lines_alone() -> None:
    """One brace on a line of a secret must not mask every brace there is."""
    assert "}" not in spellings('{\n"key": "a long enough value"\n}')
    assert spellings("") == frozenset()
