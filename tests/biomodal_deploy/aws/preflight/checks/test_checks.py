"""All checks together: a healthy account passes, and nothing is changed by looking."""

from __future__ import annotations

from typing import Any

from biomodal_deploy.aws.checks import Verdict
from biomodal_deploy.aws.preflight import run_preflight
from biomodal_deploy.aws.preflight.target import Target
from tests.support.recorded_aws import RecordedAws, Refusal

UNKNOWN = Verdict.UNKNOWN


def test_a_healthy_account_passes_every_check(aws: RecordedAws, target: Target) -> None:
    """Where nothing is wrong nothing is said to be; only what nobody told stays open."""
    report = run_preflight(target, aws.session())
    found = {each.check: each for each in report.checks}
    assert found.pop("caller-policy").verdict is UNKNOWN
    assert {check: each for check, each in found.items() if each.verdict is not Verdict.PASS} == {}
    assert not report.failed
    assert report.exit_status == 0


def test_nothing_is_changed(aws: RecordedAws, target: Target) -> None:
    """Every call reads, but for the launch that EC2 only rehearses."""

    def rehearsed(asked: Any) -> Refusal:
        assert asked["DryRun"] is True
        return Refusal("DryRunOperation", status=412)

    aws.answers["ec2.RunInstances"] = rehearsed
    report = run_preflight(target, aws.session())
    verbs = ("Describe", "Get", "List", "Head", "Simulate")
    changing = {call for call in aws.calls if not call.partition(".")[2].startswith(verbs)}
    assert changing == {"ec2.RunInstances"}
    assert not report.failed
