"""What a person reads of a preflight."""

from __future__ import annotations

import pytest

from biomodal_deploy.aws.checks import Finding, Progress, ReportData, Verdict
from biomodal_deploy.aws.preflight import Layer
from biomodal_deploy.aws.preflight.roles import all_steps
from biomodal_deploy.cli.render.checks import (
    PreflightProgress,
    show_jobs,
    show_prerequisites,
    show_report,
)
from biomodal_deploy.vm.jobs import JobsData
from tests.support.screens import printed, screen

REPORT = ReportData.of(
    (
        Finding(Verdict.PASS, "vpc-1 exists").named("vpc", "VPC", Layer.NETWORK),
        Finding(Verdict.FAIL, "gone", "set [subnet_id]").named("subnet", "Subnet", Layer.NETWORK),
        Finding(Verdict.UNKNOWN, "denied", "allow it").named("role", "Role", Layer.ROLES),
        Finding(Verdict.UNKNOWN, "denied", "allow it").named("key", "Key", Layer.NAMES),
        Finding(Verdict.WARNING, "few", "aws " + "x" * 200).named("eip", "EIP", Layer.QUOTAS),
    ),
    quick=False,
    seconds=1.26,
)


LINES = printed(lambda console: show_report(console, REPORT)).splitlines()


def test_findings_by_layer_with_what_mends_them() -> None:
    """Layer, verdict, title, line; below it the fix, and the sum at the end."""
    assert LINES[:4] == [
        "Network",
        "  pass        VPC     vpc-1 exists",
        "  FAIL        Subnet  gone",
        "              fix: set [subnet_id]",
    ]
    assert LINES[-1] == "5 checks in 1.3 s: 1 passed, 1 failed, 1 with a warning, 2 unknown"


def test_a_command_stays_whole() -> None:
    """It can be copied from a narrow screen: we break no line."""
    assert f"              fix: aws {'x' * 200}" in LINES


def test_one_remedy_is_read_once() -> None:
    """Where many checks have one cause, its fix stands below the first."""
    assert sum("fix: allow it" in line for line in LINES) == 1


def test_unknown_is_never_shown_as_pass() -> None:
    """Neither in words nor in colour."""
    lines = [line for line in LINES if "denied" in line]
    assert all(line.startswith("  unknown") for line in lines)


def test_progress_is_for_terminals() -> None:
    """A log file gets the report and nothing on the way."""
    for terminal in (True, False):
        console, stream = screen(force_terminal=terminal)
        stream.isatty = lambda terminal=terminal: terminal  # type: ignore[method-assign,misc]
        with PreflightProgress(console) as progress:
            progress(Progress(REPORT.checks[0], 1, 5))
        assert ("1/5" in stream.getvalue()) is terminal


def test_prerequisites_are_a_script() -> None:
    """Every line is a command or a comment, also what AWS said."""
    findings = [
        Finding(Verdict.PASS, "it exists").named("a", "Role A", Layer.ROLES),
        Finding(Verdict.UNKNOWN, "denied", "allow it").named("b", "Role B", Layer.ROLES),
    ]
    text = printed(
        lambda console: show_prerequisites(console, findings, all_steps("aws"), "eu-west-2")
    )
    assert "# Role A: it exists" in text
    assert "# Role B: denied" in text
    assert '#   region             = "eu-west-2"' in text
    assert "#   batch_service_role = true" in text
    inside = False
    for line in text.splitlines():
        assert inside or not line or line.startswith(("#", "aws ")), line
        # A command goes on after a backslash, and inside a quoted document.
        inside = line.endswith("\\") or (inside and not line.endswith("'") and "arn:" not in line)
        inside = inside and not line.strip().startswith("--role-name")


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        (Verdict.UNKNOWN, "No jobs in the queues that answered."),
        (Verdict.WARNING, "No jobs in the queues."),
    ],
)
def test_what_was_not_seen_is_not_said_to_be_empty(verdict: Verdict, line: str) -> None:
    """A queue that did not answer may be full."""
    problem = Finding(verdict, "no answer").named("jobs", "Jobs")
    jobs = JobsData(
        stack="lab", region="eu-west-2", counts={}, cost_usd=None, jobs=(), problems=(problem,)
    )
    assert printed(lambda console: show_jobs(console, jobs)).splitlines()[-1] == line
