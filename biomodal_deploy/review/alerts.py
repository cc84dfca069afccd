"""What a plan, the account's checks and drift found, as a forge shows it: SARIF and JUnit.

SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0) is what code scanning reads, JUnit's
XML what every forge shows as tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final
from xml.etree import ElementTree as ET

from biomodal_deploy.aws.checks import CheckData
from biomodal_deploy.aws.checks import Verdict as Checked
from biomodal_deploy.config.settings import PROJECT_FILE
from biomodal_deploy.plan.guards import Outcome
from biomodal_deploy.plan.guards import Verdict as Guarded
from biomodal_deploy.plan.sealed.facts import one_line
from biomodal_deploy.review.report import Report
from biomodal_deploy.review.report.access import Severity
from biomodal_deploy.review.report.access.comparison import AccessChange
from biomodal_deploy.text import as_json

# GitHub docs, "SARIF results exceed one or more limits": of a run it shows 5,000 results, and a
# file whose run has more than 25,000 it refuses whole.
MOST_RESULTS: Final = 5_000


class Level(StrEnum):
    """How grave it is, in SARIF's words; NONE is for what passed."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    NONE = "none"


_GUARDS: Final = {
    Outcome.REFUSED: Level.ERROR,
    Outcome.ALLOWED: Level.WARNING,
    Outcome.NOTICE: Level.NOTE,
    Outcome.PASSED: Level.NONE,
}
# A check that AWS did not answer has neither passed nor failed.
_CHECKS: Final = {
    Checked.FAIL: Level.ERROR,
    Checked.WARNING: Level.WARNING,
    Checked.UNKNOWN: Level.NOTE,
    Checked.PASS: Level.NONE,
}
# What a plan is for is no failure of it: a person judges it.
_GAINS: Final = {
    Severity.HIGH: Level.WARNING,
    Severity.MEDIUM: Level.WARNING,
    Severity.LOW: Level.NOTE,
}


@dataclass(frozen=True)
class Alert:
    """One thing that was found."""

    rule: str
    level: Level
    message: str
    subject: str


def plan_alerts(report: Report, verdicts: Sequence[Guarded]) -> Iterator[Alert]:
    """Yield what guards say of a plan, what it loses, and the access that it gives."""
    for each in verdicts:
        level = _GUARDS[each.outcome]
        yield Alert(f"guard-{each.rule}", level, each.message, each.address or report.stack)
    for entry in report.losses:
        message = f"{entry.action}: {entry.cause}" + (f"; lost: {entry.lost}" * bool(entry.lost))
        yield Alert("loss", Level.WARNING, message, entry.address)
    yield from _access("access", report.access)
    yield from _access("access-by-hand", report.drift.access)


def check_alerts(findings: Iterable[CheckData]) -> Iterator[Alert]:
    """Yield what the checks of an account found."""
    for each in findings:
        message = each.line + (f" Fix: {each.fix}" if each.fix else "")
        yield Alert(each.check, _CHECKS[each.verdict], message, each.title)


def drift_alerts(stack: str, data: Mapping[str, Any] | None, problem: str = "") -> Iterator[Alert]:
    """Yield what changed outside Terraform, from `drift` as data, or why that is not known."""
    if data is None:
        yield Alert("drift", Level.ERROR, problem or "not compared", stack)
        return
    for each in data["drift"]:
        changed = ", ".join(attribute["path"] for attribute in each["attributes"])
        message = "gone" if each["action"] == "delete" else f"changed outside Terraform: {changed}"
        yield Alert("drift", Level.ERROR, message, f"{stack}: {each['address']}")
    if not data["drift"]:
        yield Alert("drift", Level.NONE, "everything is as Terraform left it", stack)


def sarif(name: str, alerts: Iterable[Alert]) -> str:
    """Return what did not pass as SARIF.

    Args:
        name: What it is of; a forge replaces the results of the same name alone.
    """
    found = _most_severe(name, [each for each in alerts if each.level is not Level.NONE])
    rules = sorted({each.rule for each in found})
    driver = {
        "name": "biomodal-aws",
        "rules": [{"id": rule, "shortDescription": {"text": rule}} for rule in rules],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"{name}/"},
        "results": [_result(each, rules) for each in found],
    }
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    document = {"$schema": schema, "version": "2.1.0", "runs": [run]}
    return as_json(document) + "\n"


def _most_severe(name: str, found: list[Alert]) -> list[Alert]:
    """Return as many as a forge takes, and say how many are left out."""
    if len(found) <= MOST_RESULTS:
        return found
    order = (Level.ERROR, Level.WARNING, Level.NOTE)
    kept = sorted(found, key=lambda each: order.index(each.level))[: MOST_RESULTS - 1]
    left_out = len(found) - len(kept)
    message = f"{left_out:,} more are left out here; biomodal-aws show and its reports have them"
    return [Alert("left-out", Level.ERROR, message, name), *kept]


def junit(name: str, alerts: Iterable[Alert]) -> str:
    """Return all as a suite of tests: an error has failed, a note was skipped."""
    found = list(alerts)
    counts = {
        "tests": len(found),
        "failures": sum(each.level is Level.ERROR for each in found),
        "skipped": sum(each.level is Level.NOTE for each in found),
    }
    words = {key: str(value) for key, value in counts.items()}
    suites = ET.Element("testsuites", words)
    suite = ET.SubElement(suites, "testsuite", {"name": name, "errors": "0", **words})
    for each in found:
        message = one_line(each.message)
        names = {"classname": each.rule, "name": one_line(each.subject)}
        case = ET.SubElement(suite, "testcase", names)
        if each.level is Level.ERROR:
            ET.SubElement(case, "failure", {"message": message}).text = message
        elif each.level is Level.NOTE:
            ET.SubElement(case, "skipped", {"message": message})
        else:
            ET.SubElement(case, "system-out").text = message
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _access(rule: str, changes: Iterable[AccessChange]) -> Iterator[Alert]:
    for change in changes:
        for gain in change.gains:
            yield Alert(rule, _GAINS[gain.severity], f"gains {gain.text}", change.address)


def _result(alert: Alert, rules: Sequence[str]) -> dict[str, object]:
    # A forge shows no result without a file; what stands in the plan has no line of one.
    place = {"artifactLocation": {"uri": PROJECT_FILE}, "region": {"startLine": 1}}
    logical = {"fullyQualifiedName": alert.subject, "kind": "resource"}
    # All have one line: without this a forge takes those of one rule for the same.
    text = f"{alert.rule}\n{alert.subject}\n{alert.message}"
    return {
        "ruleId": alert.rule,
        "ruleIndex": rules.index(alert.rule),
        "level": str(alert.level),
        "message": {"text": one_line(f"{alert.subject}: {alert.message}")},
        "locations": [{"physicalLocation": place, "logicalLocations": [logical]}],
        "partialFingerprints": {
            "alert/v1": sha256(text.encode(errors="surrogatepass")).hexdigest()
        },
    }
