"""Events add up to what was done, what failed and what went wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from biomodal_deploy.engine.process import Line
from biomodal_deploy.engine.terraform.events import DiagnosticEvent, OutputsEvent, parse
from biomodal_deploy.engine.terraform.results import Touched
from biomodal_deploy.engine.terraform.runlog import ApplySummary, ErrorText
from biomodal_deploy.sandbox import Sandbox
from tests.support.light import STACK, LightProject
from tests.support.mirror import kept_settings
from tests.support.terraform import require_provider


def event(kind: str, **more: object) -> dict[str, object]:
    """Return an event."""
    return {"type": kind, **more}


def tally_of(*events: Mapping[str, object] | str) -> ApplySummary:
    """Return the tally of some lines."""
    tally = ApplySummary()
    for each in events:
        text = each if isinstance(each, str) else json.dumps(each)
        tally.note(parse(Line("stdout", text)))
    return tally


def hook(kind: str, address: str, action: str = "create", **more: object) -> dict[str, object]:
    """Return what happens to a resource."""
    return event(f"apply_{kind}", hook={"resource": {"addr": address}, "action": action} | more)


def change(kind: str, action: str, address: str = "a") -> dict[str, object]:
    """Return an event of a plan."""
    return event(kind, change={"resource": {"addr": address}, "action": action})


def diagnostic(severity: str, summary: str, **more: object) -> dict[str, object]:
    """Return an error or a warning."""
    return event("diagnostic", diagnostic={"severity": severity, "summary": summary, **more})


def test_each_resource_ends_in_one_place() -> None:
    """Completed, failed and begun resources are told apart, a replacement counts twice."""
    run = tally_of(
        hook("start", "a"),
        hook("progress", "a"),
        hook("complete", "a", id_value="i-1", elapsed_seconds=2),
        hook("start", "b", "delete"),
        hook("complete", "b", "delete"),
        hook("start", "b"),
        hook("errored", "b"),
        hook("start", "c"),
    ).apply_run()
    assert run.completed == (Touched("a", "create", 2, "i-1"), Touched("b", "delete"))
    assert run.failed == (Touched("b", "create"),)
    assert run.in_progress == (Touched("c", "create"),)


def test_what_was_planned_and_never_begun_is_known() -> None:
    """Beside what failed: a later plan has all of it still to do."""
    run = tally_of(
        *(change("planned_change", "create", address) for address in "abc"),
        change("planned_change", "replace", "d"),
        change("planned_change", "no-op", "e"),
        hook("complete", "a"),
        hook("errored", "b"),
        hook("start", "d", "delete"),
    ).apply_run()
    assert run.not_begun == (Touched("c", "create"),)


def test_data_that_is_read_is_no_change() -> None:
    """What was planned is what was made: data read on the way is counted only where it fails."""
    run = tally_of(
        hook("start", "data.a", "read"),
        hook("complete", "data.a", "read"),
        hook("start", "data.b", "read"),
        hook("errored", "data.b", "read"),
        hook("complete", "c"),
    ).apply_run()
    assert run.completed == (Touched("c", "create"),)
    assert run.failed == (Touched("data.b", "read"),)


def test_the_summary_of_a_plan_is_none_of_an_apply() -> None:
    """An apply that was cut off before its own summary has none."""
    changes = {"add": 1, "operation": "plan"}
    assert tally_of(event("change_summary", changes=changes)).apply_run().summary is None


def outputs(action: str) -> dict[str, object]:
    """Return what becomes of an output."""
    return event("outputs", outputs={"o": {"sensitive": True, "action": action}})


@pytest.mark.parametrize(
    ("found", "changes"),
    [
        *((change("planned_change", action), True) for action in ("create", "move", "forget")),
        (change("resource_drift", "update"), True),
        (outputs("create"), True),
        *((change("planned_change", action), False) for action in ("read", "noop")),
        (outputs("noop"), False),
        (event("change_summary", changes={"add": 0}), False),
    ],
)
def test_what_counts_as_a_change(found: dict[str, object], *, changes: bool) -> None:
    """Changes, drift and outputs are changes; reading data and outputs that stay are none."""
    assert tally_of(found).has_changes is changes


def test_the_first_errors_are_kept() -> None:
    """Errors stay in their order, repeated ones once, and never without bound."""
    errors = tally_of(*(diagnostic("error", f"e{number // 2}") for number in range(1000))).errors
    assert [error.summary for error in errors[:3]] == ["e0", "e1", "e2"]
    assert len(errors) == 100


def test_warnings_are_no_errors() -> None:
    """A failed check is a warning and does not fail a run."""
    tally = tally_of(diagnostic("warning", "Check block assertion failed"))
    assert (tally.errors, len(tally.warnings)) == ((), 1)


def gone(address: str) -> dict[str, object]:
    """Return the drift of what was deleted by hand."""
    return change("resource_drift", "delete", address)


@pytest.mark.parametrize(
    ("others", "about"),
    [
        ([], None),
        ([change("resource_drift", "update", "x.changed")], None),
        ([gone("x.old")], "x.old"),
        ([gone("x.old"), gone("x.older")], "x.old or x.older"),
    ],
)
def test_a_warning_of_what_is_gone_names_it(
    others: list[dict[str, object]], about: str | None
) -> None:
    """What is made again, Terraform names itself; of several others all may be meant."""
    summary = "AWS resource not found during refresh"
    warning = parse(Line("stdout", json.dumps(diagnostic("warning", summary))))
    made_again = (gone("x.here"), change("planned_change", "create", "x.here"))
    named = tally_of(*made_again, *others).named(warning)
    assert isinstance(named, DiagnosticEvent)
    assert named.diagnostic.address == about
    known = parse(Line("stdout", json.dumps(diagnostic("warning", summary, address="x.here"))))
    assert tally_of(*others).named(known) == known


@pytest.mark.engine
@pytest.mark.xdist_group("not-found")
def test_the_provider_s_warning_of_a_resource_that_no_stack_has(tmp_path: Path) -> None:
    """Deleted by hand and taken out of the configuration: real Terraform names no address."""
    require_provider()
    with Sandbox.start(tmp_path) as sandbox:
        ec2 = sandbox.client("ec2")
        group = ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
        rule = {"security_group_id": group, "cidr_ipv4": "192.0.2.0/24", "ip_protocol": "-1"}
        model: dict[str, Any] = {
            "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
            "provider": {"aws": [{"region": "us-east-1"}]},
            "resource": {"aws_vpc_security_group_ingress_rule": {"old": rule}},
        }
        project = LightProject(tmp_path / "project", {STACK: model})
        environment = sandbox.environment(kept_settings())
        for words in (("plan",), ("apply",)):
            done = project.run(*words, environment=environment)
            assert done.status == 0, done.err
        (made,) = [
            each["SecurityGroupRuleId"]
            for each in ec2.describe_security_group_rules()["SecurityGroupRules"]
            if each.get("CidrIpv4") == "192.0.2.0/24"
        ]
        ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[made])
        del model["resource"]
        project.model({STACK: model})
        done = project.run("plan", environment=environment)
    assert done.status == 0, done.err
    said = "warning: AWS resource not found during refresh"
    assert f"{said} (aws_vpc_security_group_ingress_rule.old)" in done.err


def test_an_event_says_more_than_text() -> None:
    """Plain text is the error only where no event is one."""
    spoken = diagnostic("error", "event")
    assert [error.summary for error in tally_of("Error: text", spoken).errors] == ["event"]
    assert [error.summary for error in tally_of("Error: text").errors] == ["text"]


class TestErrorText:
    """Errors that Terraform draws as text."""

    def text(self, *lines: str) -> tuple[str, str]:
        """Return summary and detail of what was read."""
        error = ErrorText()
        for line in lines:
            error.note(line)
        assert error.diagnostic is not None
        return error.diagnostic.summary, error.diagnostic.detail

    def test_a_box(self) -> None:
        """The error in the box is read, warnings before it and boxes after it are not."""
        assert self.text(
            "╷",
            "│ Warning: old",
            "╵",
            "╷",
            "│ Error: Failed to parse command-line flags",
            "│ ",
            "│ flag provided but not defined: -bogus",
            "╵",
            "For more help run: terraform -help",
        ) == ("Failed to parse command-line flags", "flag provided but not defined: -bogus")

    def test_no_box(self) -> None:
        """Where nothing says that it is an error, the last line is the best guess."""
        assert self.text("one", "", "two") == ("two", "one")

    def test_nothing(self) -> None:
        """Silence is no error text."""
        assert ErrorText().diagnostic is None

    def test_a_long_trace_is_cut(self) -> None:
        """A crash of a thousand lines does not become the message."""
        lines = [f"goroutine {number}" for number in range(1000)]
        summary, detail = self.text("panic: runtime error", *lines)
        assert summary == "panic: runtime error"
        assert len(detail.splitlines()) <= 20


def test_outputs_without_the_sensitive_ones() -> None:
    """What the apply wrote is known, and the value of a sensitive output is kept nowhere."""
    found = {
        "url": {"sensitive": False, "value": "s3://a", "type": "string"},
        "key": {"sensitive": True, "value": "canary", "type": "string"},
        "odd": {"value": "canary"},
    }
    run = tally_of(event("outputs", outputs={}), event("outputs", outputs=found)).apply_run()
    parsed = parse(Line("stdout", json.dumps(event("outputs", outputs=found))))
    assert run.outputs["url"] == "s3://a"
    assert "key" not in run.outputs
    assert isinstance(parsed, OutputsEvent)
    assert parsed.outputs["key"].value is None
