"""What a check answers on recorded answers, and cases of what is wrong and what is well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from biomodal_deploy.aws.checks import CheckData, Verdict, run_checks
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.preflight import all_checks
from biomodal_deploy.aws.preflight.facts import Facts
from biomodal_deploy.aws.preflight.target import Target
from tests.support.aws_command import commands_in
from tests.support.recorded_aws import Given, Recorded, RecordedAws


def answer(
    aws: RecordedAws,
    target: Target,
    check: str,
    *owned: str,
    state_is_known: bool = True,
    elsewhere: Mapping[str, str] = MappingProxyType({}),
) -> CheckData:
    """Return one check's answer."""
    held = frozenset(owned) if state_is_known else None
    facts = Facts(target, Clients(aws.session(), target.region), held, elsewhere)
    checks = [each for each in all_checks(facts) if each.name == check]
    return run_checks(checks, facts.clients, 12.0)[0]


def job_queues(*names: str) -> Given:
    """Return job queues as Batch describes them."""
    queue = {"jobQueueArn": "arn", "state": "ENABLED", "priority": 1, "computeEnvironmentOrder": []}
    return {"jobQueues": [{**queue, "jobQueueName": each} for each in names]}


def environments(*names: str, status: str = "VALID") -> Given:
    """Return compute environments as Batch describes them."""
    found = {"computeEnvironmentArn": "arn", "status": status}
    return {"computeEnvironments": [{**found, "computeEnvironmentName": each} for each in names]}


@dataclass(frozen=True)
class Wrong:
    """One thing that is wrong in a healthy account."""

    check: str  # the check that has to find it
    operation: str  # what AWS answers otherwise
    recorded: Recorded  # the answer
    verdict: Verdict  # the verdict that it has to lead to
    line: str  # A part of the line that names it
    fix: str  # A part of what fixes it

    def __str__(self) -> str:
        return f"{self.check}-{self.verdict}-{self.line}"

    def assert_found(self, aws: RecordedAws, target: Target) -> None:
        """It is found, named, and comes with what fixes it."""
        aws.answers[self.operation] = self.recorded
        found = answer(aws, target, self.check)
        fix = found.fix or ""
        assert found.verdict is self.verdict, found
        assert self.line in found.line, found
        assert self.fix in fix, found
        assert "\n" not in found.line + fix, found
        # Every command in it is one that the AWS CLI has.
        mentioned = fix.replace("biomodal-aws ", "").count("aws ")
        assert len(commands_in(found.fix)) == mentioned, found


def cases(check: str, operation: str, *found: tuple[Recorded, Verdict, str, str]) -> list[Wrong]:
    """Return what one check makes of several answers: each with verdict, line and fix."""
    return [Wrong(check, operation, *each) for each in found]


@dataclass(frozen=True)
class Well:
    """What looks odd and works."""

    check: str  # the check that has to pass
    changes: Mapping[str, Recorded]  # what AWS answers otherwise than in a healthy account
    line: str  # A part of the line that says why it is well

    def __str__(self) -> str:
        return f"{self.check}-{self.line}"

    def assert_passed(self, aws: RecordedAws, target: Target) -> None:
        """It passes, and the line says why."""
        aws.answers |= self.changes
        found = answer(aws, target, self.check)
        assert found.verdict is Verdict.PASS, found
        assert self.line in found.line, found
