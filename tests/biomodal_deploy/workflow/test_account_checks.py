"""The quick checks beside a plan: told, never in its way."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from biomodal_deploy.aws.checks import ReportData, failed, passed
from biomodal_deploy.aws.preflight import Layer
from biomodal_deploy.plan import PlanKind
from biomodal_deploy.plan.sealed import UseState, consume, record_outcome
from biomodal_deploy.workflow import account_checks
from biomodal_deploy.workflow.account_checks import count_contents
from biomodal_deploy.workflow.location import Location, Notice, WorkflowEvent
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.variables import PlanRequest
from tests.support.light import LightProject
from tests.support.operated import NAME, REGION
from tests.support.plans import plan, resource
from tests.support.recorded_aws import Recorded, RecordedAws, Refusal
from tests.support.sealed_plans import sealed

BUCKET, IMAGES = "aws_s3_bucket.b", "aws_ecr_repository.r"
GONE = plan(
    resource(BUCKET, "delete", {"bucket": NAME, "force_destroy": True}),
    resource(IMAGES, "delete", {"name": NAME, "force_delete": True}),
)
VERSION = {"Key": "a", "VersionId": "1", "Size": 1, "IsLatest": True}


def stack_of(folder: Path, settings: dict[str, object] | None) -> Stack:
    """Return a stack with these settings; None for none in cdktf.json."""
    context = {} if settings is None else {"stacks": {"light": settings}}
    project = LightProject(folder, context=context)
    location = Location.of(project.folder, project.environment())
    return Stack(location=location, name="light", directory=folder)


def told(
    monkeypatch: pytest.MonkeyPatch, stack: Stack, kind: PlanKind, report: ReportData | None
) -> list[str]:
    """Return the notices of a plan for which the checks come to this."""
    heard: list[WorkflowEvent] = []

    def check(_: Stack, __: PlanRequest, ___: frozenset[str], found: list[ReportData]) -> None:
        found.extend([report] if report else [])

    monkeypatch.setattr(account_checks, "_check", check)
    stack = stack.with_listener(heard.append)
    with account_checks.quick_checks(stack, PlanRequest(kind=kind), frozenset()):
        pass
    return [signal.text for signal in heard if isinstance(signal, Notice)]


REPORT = ReportData.of(
    (
        passed("it exists").named("vpc", "VPC", Layer.NETWORK),
        failed("it is gone", "name another").named("subnet", "Subnet", Layer.NETWORK),
    ),
    quick=True,
    seconds=0.1,
)


def test_what_failed_is_told_with_its_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reviewer reads beside the plan what an apply would meet; no answer is said to be none."""
    stack = stack_of(tmp_path, {})
    notices = told(monkeypatch, stack, PlanKind.APPLY, REPORT)
    assert notices[0] == "Subnet: it is gone. Fix: name another"
    assert notices[1].startswith("Quick checks of the account: 1 pass, 1 fail,")
    (notice,) = told(monkeypatch, stack, PlanKind.APPLY, None)
    assert "gave no answer" in notice


def test_they_are_told_where_the_plan_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing role may be why."""
    heard: list[WorkflowEvent] = []
    monkeypatch.setattr(account_checks, "_check", lambda *words: words[3].append(REPORT))
    stack = stack_of(tmp_path, {}).with_listener(heard.append)
    with (
        pytest.raises(ValueError, match="planned"),
        account_checks.quick_checks(stack, PlanRequest(), frozenset()),
    ):
        raise ValueError("planned")
    assert len(heard) == 2


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        (None, PlanKind.APPLY),
        ({"bootstrap": "prerequisites"}, PlanKind.APPLY),
        ({}, PlanKind.DESTROY),
        ({}, PlanKind.REFRESH_ONLY),
    ],
)
def test_other_plans_are_left_alone(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, object] | None,
    kind: PlanKind,
) -> None:
    """Another app's stack, and a plan that builds nothing, ask nothing of the account."""
    assert told(monkeypatch, stack_of(tmp_path, settings), kind, REPORT) == []


def test_what_a_broken_apply_may_have_made_is_not_to_be_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is taken after it is most likely its own: it is named in place of a fix."""
    stack = stack_of(tmp_path, {})
    sealed_plan = sealed(stack.location.plans, stack="light")
    consume(sealed_plan.path)
    taken = failed("the IAM role x exists", "aws iam delete-role")
    named = (taken.named("role", "Role", Layer.NAMES),)
    report = ReportData.of(named, quick=True, seconds=0.1)
    # None: it runs.
    for state in (None, UseState.FAILED, UseState.INTERRUPTED, UseState.APPLIED):
        if state:
            record_outcome(sealed_plan.path, state)
        (line, _) = told(monkeypatch, stack, PlanKind.APPLY, report)
        assert ("delete-role" in line) is (state is UseState.APPLIED)
        assert (sealed_plan.id in line) is (state is not UseState.APPLIED)


def counted(monkeypatch: pytest.MonkeyPatch, **answers: Recorded) -> dict[str, int | str]:
    """Count in an account with these answers."""
    given = {name.replace("__", "."): answer for name, answer in answers.items()}
    session = RecordedAws({"s3.ListMultipartUploads": {}, **given}).session()
    monkeypatch.setattr("biomodal_deploy.workflow.account_checks.open_session", lambda _: session)
    return count_contents(GONE, REGION, os.environ)


def test_to_the_end_and_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number where it is one; else the text says that there may be more."""
    denied = Refusal("AccessDenied", status=403)
    objects = {"Contents": [{"Key": "a", "Size": 1}], "IsTruncated": False}
    found = counted(
        monkeypatch,
        s3__ListObjectVersions=denied,
        s3__ListObjectsV2=objects,
        ecr__DescribeImages={"imageDetails": [{}, {}]},
    )
    assert found == {BUCKET: "at least 1", IMAGES: 2}
    versions = {"Versions": [VERSION, VERSION], "IsTruncated": False}
    found = counted(monkeypatch, s3__ListObjectVersions=versions, ecr__DescribeImages=denied)
    assert found == {BUCKET: 2}


def test_where_nobody_can_be_asked() -> None:
    """No region, or another environment: the guard says that the number is unknown."""
    assert count_contents(GONE, None, os.environ) == {}
    assert count_contents(GONE, REGION, {"AWS_PROFILE": "theirs"}) == {}


def test_what_another_stack_holds_is_not_offered(tmp_path: Path) -> None:
    """A name that is taken can be taken over, unless a state of the project holds the thing."""
    taken = failed("taken", "another name").named("key-pair", "Key pair", Layer.NAMES)
    report = ReportData.of((taken,), quick=True, seconds=0.1)
    creates = plan(resource("aws_key_pair.k", "create", None, {"key_name": NAME}))
    stack = stack_of(tmp_path, {"bootstrap": "native"})

    def fix() -> str:
        checks = account_checks.AccountChecks(stack, found=[report])
        return checks.refusals(creates)[0].fix

    assert f"adopt --id 'aws_key_pair.k={NAME}'" in fix()
    instances = [{"attributes": {"key_name": NAME}}]
    held = {"mode": "managed", "type": "aws_key_pair", "instances": instances}
    stack = Stack.at(stack.location, stack.name)
    there = stack.directory / "terraform.tfstate.d" / "dev" / "terraform.tfstate"
    there.parent.mkdir(parents=True)
    there.write_text(json.dumps({"resources": [held]}))
    assert fix() == "another name"
