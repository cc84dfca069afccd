"""What a person reads of the jobs in the queues."""

from __future__ import annotations

import pytest

from biomodal_deploy.aws.checks import Finding, Verdict
from biomodal_deploy.cli.render.status import show_jobs
from biomodal_deploy.vm.jobs import JobsData
from tests.support.screens import printed


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
