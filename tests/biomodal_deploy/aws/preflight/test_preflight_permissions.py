"""The caller's policy against the compiled one: the two helpers of "know before you apply" meet.

IAM's simulator is not in the sandbox; here this project's own evaluation of policies answers in
its place, which the sandbox's tests hold to what AWS does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import JsonValue

from biomodal_deploy.aws.checks import Verdict
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.preflight import run_preflight
from biomodal_deploy.aws.preflight.caller import caller_policy
from biomodal_deploy.aws.preflight.facts import Facts
from biomodal_deploy.aws.preflight.target import Target
from biomodal_deploy.config.settings import StackSettings
from biomodal_deploy.iam.evaluate import Request, decide
from biomodal_deploy.iam.language import parse_policy
from biomodal_deploy.iam.permissions import StackPermissions
from biomodal_deploy.iam.probes import wanted
from biomodal_deploy.workflow.preflight import group_requests, needed_by
from tests.support.project import ROOT
from tests.support.recorded_aws import ACCOUNT, NAME, REGION, SUBNET, VPC, RecordedAws

VALUES: Final = {"region": REGION, "vpc_id": VPC, "subnet_id": SUBNET, "vm_name": NAME}
STACKS: Final = ("native", "module")


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both stacks, synthesized."""
    from stacks.synthesis import synthesize

    output = tmp_path_factory.mktemp("synthesized")
    stacks = {"native": StackSettings(bootstrap="native"), "module": StackSettings()}
    synthesize(stacks, install_script=ROOT / "scripts" / "install_script.sh", output=output)
    return output / "stacks"


def simulator(*documents: Mapping[str, JsonValue]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Return what answers as IAM's simulator does for a caller with these policies."""
    policies = [parse_policy(dict(document)) for document in documents]

    def answer(asked: Mapping[str, Any]) -> dict[str, Any]:
        context = {
            each["ContextKeyName"]: tuple(each["ContextKeyValues"])
            for each in asked["ContextEntries"]
        }
        results = []
        for action in asked["ActionNames"]:
            for resource in asked["ResourceArns"]:
                request = Request(action=action, resource=resource, context=context, complete=True)
                allowed = decide(policies, request).allowed
                decision = "allowed" if allowed else "implicitDeny"
                results.append({"EvalActionName": action, "EvalDecision": decision})
        return {"EvaluationResults": results}

    return answer


def judged(
    aws: RecordedAws, target: Target, directory: Path, *documents: Mapping[str, JsonValue]
) -> tuple[Verdict, str]:
    """Return the verdict on a caller with these policies."""
    aws.answers["iam.SimulatePrincipalPolicy"] = simulator(*documents)
    facts = Facts(target, Clients(aws.session(), target.region), frozenset())
    answer = caller_policy(facts, needed_by(directory, VALUES))
    return answer.verdict, answer.line


def requested(permissions: StackPermissions) -> list[Request]:
    """Return all that AWS is asked for, one by one."""
    return [each for need in permissions.needs.items for each in wanted(need, permissions.place)]


@pytest.mark.slow
@pytest.mark.parametrize("stack", STACKS)
def test_the_compiled_policy_is_enough(
    aws: RecordedAws, target: Target, stacks: Path, stack: str
) -> None:
    """A caller with exactly what `policy deployer` prints passes; the document's lacks some."""
    permissions = StackPermissions(stacks / stack, VALUES, ACCOUNT)
    compiled = [policy.as_json() for policy in permissions.deployer()]
    verdict, line = judged(aws, target, stacks / stack, *compiled)
    assert verdict is Verdict.PASS, line
    verdict, line = judged(aws, target, stacks / stack, permissions.documented())
    assert verdict is Verdict.FAIL
    assert "actions are denied: batch:" in line


@pytest.mark.slow
def test_one_statement_less_is_noticed(aws: RecordedAws, target: Target, stacks: Path) -> None:
    """Whichever statement is left out: the few questions find what all requests one by one do."""
    permissions = StackPermissions(stacks / "native", VALUES, ACCOUNT)
    requests = [replace(each, complete=True) for each in requested(permissions)]
    statements = [each.as_json() for policy in permissions.deployer() for each in policy.statements]
    noticed = 0
    for left_out in range(0, len(statements), 6):
        rest: list[JsonValue] = [*statements[:left_out], *statements[left_out + 1 :]]
        document: dict[str, JsonValue] = {"Version": "2012-10-17", "Statement": rest}
        policy = parse_policy(document)
        lacking = any(not decide([policy], each).allowed for each in requests)
        verdict, line = judged(aws, target, stacks / "native", document)
        assert (verdict is Verdict.FAIL) == lacking, (statements[left_out], line)
        noticed += lacking
    assert noticed > len(statements) / 12


@pytest.mark.parametrize("stack", STACKS)
def test_few_questions_say_it_all(stacks: Path, stack: str) -> None:
    """Merging loses no action on no resource, and a slow IAM is asked some thirty times."""
    requests = requested(StackPermissions(stacks / stack, VALUES, ACCOUNT))
    questions = group_requests(requests)
    assert len(questions) < 45
    for request in requests:
        assert any(
            request.action in question.actions
            and request.resource in question.resources
            and {key: values for key, values in request.context.items() if values}.items()
            <= question.context.items()
            for question in questions
        )


@pytest.mark.parametrize("first", [0, 1])
def test_no_action_is_told_what_its_policy_may_ask(first: int) -> None:
    """A tag that one resource has must not let another's request pass, whichever comes first."""
    requests = [
        Request(action="ec2:CreateTags", resource="*", context=context)
        for context in ({"aws:ResourceTag/Name": ("a",)}, {})
    ]
    requests = [requests[first], requests[1 - first]]
    assert len(group_requests(requests)) == 2
    unrelated = Request(action="iam:GetRole", resource="*", context={})
    assert len(group_requests([*requests, unrelated])) == 2


@pytest.mark.slow
def test_everybody_slow(aws: RecordedAws, target: Target, stacks: Path) -> None:
    """Two seconds to every answer, and this check asks the most of all."""
    aws.seconds = 2.0
    compiled = StackPermissions(stacks / "native", VALUES, ACCOUNT).deployer()
    # Batch's hosts' role is asked about in the same way, and these policies are not its own.
    aws.answers["iam.SimulatePrincipalPolicy"] = simulator(*(each.as_json() for each in compiled))
    needed = needed_by(stacks / "native", VALUES)
    report = run_preflight(target, aws.session(), needed_actions=needed)
    answers = {each.check: each for each in report.checks}
    assert answers["caller-policy"].verdict is Verdict.PASS
    assert report.seconds < 15
    assert not [each for each in answers.values() if "no answer" in each.line]
