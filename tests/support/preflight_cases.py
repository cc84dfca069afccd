"""What a check answers on recorded answers, and cases of what is wrong and what is well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from biomodal_deploy.aws.checks import CheckData, Verdict, run_checks
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.preflight.checks import all_checks
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
    """Return one check's answer.

    Args:
        aws: The account.
        target: The stack.
        check: The check's name.
        owned: What the stack's state holds, as `type:id`.
        state_is_known: Whether its state could be read.
        elsewhere: What other states hold, with whose each is.
    """
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
    """One thing that is wrong in a healthy account.

    Attributes:
        check: The check that has to find it.
        operation: What AWS answers otherwise.
        recorded: The answer.
        verdict: The verdict that it has to lead to.
        line: A part of the line that names it.
        fix: A part of what mends it.
    """

    check: str
    operation: str
    recorded: Recorded
    verdict: Verdict
    line: str
    fix: str

    def __str__(self) -> str:
        return f"{self.check}-{self.verdict}-{self.line}"

    def assert_found(self, aws: RecordedAws, target: Target) -> None:
        """It is found, named, and comes with what mends it."""
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
    """What looks odd and works.

    Attributes:
        check: The check that has to pass.
        changes: What AWS answers otherwise than in a healthy account.
        line: A part of the line that says why it is well.
    """

    check: str
    changes: Mapping[str, Recorded]
    line: str

    def __str__(self) -> str:
        return f"{self.check}-{self.line}"

    def assert_passed(self, aws: RecordedAws, target: Target) -> None:
        """It passes, and the line says why."""
        aws.answers |= self.changes
        found = answer(aws, target, self.check)
        assert found.verdict is Verdict.PASS, found
        assert self.line in found.line, found
