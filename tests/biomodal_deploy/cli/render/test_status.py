"""What a person reads of the jobs in the queues."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from biomodal_deploy.aws.checks import Finding, Verdict
from biomodal_deploy.cli.render.console import _THEME
from biomodal_deploy.cli.render.status import show_jobs
from biomodal_deploy.vm.jobs import JobsData


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
    stream = io.StringIO()
    show_jobs(Console(file=stream, width=80, theme=_THEME), jobs)
    assert stream.getvalue().splitlines()[-1] == line
