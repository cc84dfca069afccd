"""Tests for biomodal_deploy.review.alerts: what a forge reads of a plan, of checks and of drift."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import jsonschema  # type: ignore[import-untyped]
from hypothesis import example, given
from hypothesis import strategies as st

from biomodal_deploy.aws.checks import Finding, Verdict
from biomodal_deploy.plan.guards import Outcome
from biomodal_deploy.plan.guards import Verdict as Guarded
from biomodal_deploy.review.alerts import (
    MOST_RESULTS,
    Alert,
    Level,
    check_alerts,
    drift_alerts,
    junit,
    plan_alerts,
    sarif,
)
from biomodal_deploy.review.report.building import build_report
from tests.support.project import ROOT
from tests.support.sealed_project import sealed_project

# What SARIF 2.1.0 asks of the parts that are written (its schema: additionalProperties is false).
SCHEMA: Final[dict[str, Any]] = json.loads((ROOT / "tests/data/sarif_parts.json").read_text())


def results(*alerts: Alert) -> list[dict[str, Any]]:
    """Return the results of a SARIF file that is one."""
    document = json.loads(sarif("plan of demo", alerts))
    jsonschema.validate(document, SCHEMA)
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[each["ruleIndex"]]["id"] == each["ruleId"] for each in run["results"])
    found: list[dict[str, Any]] = run["results"]
    return found


def test_of_a_plan(tmp_path: Path) -> None:
    """A refusal is an error, a loss warns, and what passed is no result."""
    report = build_report(sealed_project(tmp_path)[1])
    verdicts = [
        Guarded(rule="protected", outcome=Outcome.REFUSED, message="No.", address="aws_eip.ip"),
        Guarded(rule="region", outcome=Outcome.PASSED, message="Fine."),
    ]
    alerts = [*plan_alerts(report, verdicts)]
    found = {(each["ruleId"], each["level"]) for each in results(*alerts)}
    assert found == {("guard-protected", "error"), ("loss", "warning")}
    suite = ET.fromstring(junit("plan", alerts)).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")


def test_more_than_a_forge_takes() -> None:
    """GitHub refuses a file of too many whole: the gravest stay, and how many do not is said."""
    notes = [Alert("access", Level.NOTE, "gains", f"a.n{n}") for n in range(MOST_RESULTS)]
    error = Alert("guard-protected", Level.ERROR, "No.", "a.last")
    found = results(*notes, error)
    assert len(found) == MOST_RESULTS
    assert [each["ruleId"] for each in found[:2]] == ["left-out", "guard-protected"]
    assert found[0]["message"]["text"].startswith("plan of demo: 2 more")
    assert len(results(*notes)) == MOST_RESULTS
    assert "left-out" not in {each["ruleId"] for each in results(*notes)}


def test_of_checks() -> None:
    """Failed, warned, unknown and passed are four things in JUnit, and three in SARIF."""
    findings = [Finding(each, "line", "do it").named(each.value, "t") for each in Verdict]
    alerts = [*check_alerts(findings)]
    assert {each["ruleId"]: each["level"] for each in results(*alerts)} == {
        "fail": "error",
        "warning": "warning",
        "unknown": "note",
    }
    suites = ET.fromstring(junit("doctor", alerts))
    assert {case.get("classname"): case[0].tag for case in suites.iter("testcase")} == {
        "pass": "system-out",
        "fail": "failure",
        "warning": "system-out",
        "unknown": "skipped",
    }


def test_of_drift() -> None:
    """Each resource is an error; a stack that was not compared is one; a stack without is none."""
    attributes = [{"path": "tags.a"}]
    changed = {"address": "aws_eip.ip", "action": "update", "attributes": attributes}
    gone = {"address": "aws_eip.old", "action": "delete", "attributes": []}
    drifted = results(*drift_alerts("a", {"drift": [changed, gone]}))
    assert [each["message"]["text"] for each in drifted] == [
        "a: aws_eip.ip: changed outside Terraform: tags.a",
        "a: aws_eip.old: gone",
    ]
    assert len({each["partialFingerprints"]["alert/v1"] for each in drifted}) == 2
    (unknown,) = results(*drift_alerts("b", None, "nothing is applied"))
    assert (unknown["level"], "nothing is applied" in unknown["message"]["text"]) == ("error", True)
    assert results(*drift_alerts("c", {"drift": []})) == []


TEXT: Final = st.text(st.characters(), min_size=1) | st.sampled_from(
    ["\ud800", "\x00", "]]>", "\ufffe", "a\r\nb", "\x1b[0m"]
)


@given(TEXT, TEXT, st.sampled_from(Level))
@example("\ud800", "\ud800", Level.ERROR)
def test_any_text(message: str, subject: str, level: Level) -> None:
    """Whatever a name in the account holds, both files can be read."""
    alert = Alert("rule", level, message, subject)
    assert len(results(alert)) == (level is not Level.NONE)
    (case,) = ET.fromstring(junit("x", [alert])).iter("testcase")
    assert case.get("classname") == "rule"
