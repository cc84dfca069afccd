"""Whose credentials they are, and which account and region they may touch."""

from __future__ import annotations

from dataclasses import replace

import pytest

from biomodal_deploy.aws.checks import Verdict
from biomodal_deploy.aws.preflight import run_preflight
from biomodal_deploy.aws.preflight.target import Target
from biomodal_deploy.config.settings import Bounds
from tests.support.preflight_cases import answer
from tests.support.recorded_aws import ACCOUNT, REGION, RecordedAws

FAIL, WARNING = Verdict.FAIL, Verdict.WARNING


@pytest.mark.parametrize(
    ("limits", "verdict", "line"),
    [
        (Bounds(), Verdict.PASS, "no limits"),
        (Bounds(account_ids=(ACCOUNT,), regions=(REGION,)), Verdict.PASS, "within"),
        (Bounds(regions=(REGION,)), Verdict.PASS, "no account is named"),
        (Bounds(regions=("us-east-1",)), FAIL, f"limited to us-east-1, not {REGION}"),
        (Bounds(account_ids=("210987654321",)), FAIL, f"account 210987654321, not {ACCOUNT}"),
    ],
)
def test_limits(
    aws: RecordedAws, target: Target, limits: Bounds, verdict: Verdict, line: str
) -> None:
    """Account and region have to be those that the stack may touch."""
    found = answer(aws, replace(target, limits=limits), "limits")
    assert (found.verdict, line in found.line) == (verdict, True), found


def test_other_partitions(aws: RecordedAws, target: Target) -> None:
    """The module writes arn:aws, which is another world's name elsewhere."""
    there = replace(target, bootstrap="module", region="us-gov-west-1")
    report = run_preflight(there, aws.session(there.region))
    found = {each.check: each for each in report.checks}
    assert found["partition"].verdict is WARNING
    assert '"bootstrap": "native"' in (found["partition"].fix or "")
