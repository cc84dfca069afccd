"""A state stays with the account, region, endpoint and folder that the last apply went to."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.aws.endpoints import configured_endpoints
from biomodal_deploy.aws.identity import Identity
from biomodal_deploy.errors import EXIT_DONE, EXIT_GUARD, EXIT_USAGE, GuardRefused, UsageError
from biomodal_deploy.plan.history import Event
from biomodal_deploy.plan.sealed import SealedPlan
from biomodal_deploy.sandbox import Sandbox
from biomodal_deploy.workflow.destination import (
    Destination,
    check_destination,
    destination_now,
    destination_of,
    last_destination,
    record,
)
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.plan_facts import AwsLocation
from biomodal_deploy.workflow.stack import Stack, last_stack
from tests.support.light import STACK, LightProject
from tests.support.mirror import kept_settings
from tests.support.sealed_project import STACK as SEALED
from tests.support.sealed_project import sealed_project
from tests.support.terraform import require_provider

OURS: Final = "111122223333"
THEIRS: Final = "444455556666"
CALLER: Final = f"arn:aws:iam::{OURS}:user/me"
HOME: Final = Destination(account=OURS, partition="aws", region="eu-west-2")
MODEL: Final[dict[str, Any]] = {
    "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
    "provider": {"aws": [{"region": "${var.region}"}]},
    "variable": {
        "region": {"type": "string", "default": "us-east-1"},
        "word": {"type": "string", "default": "hello"},
    },
    "resource": {"terraform_data": {"first": {"input": "${var.word}"}}},
    "data": {"aws_caller_identity": {"me": {}}},
}


def stack_of(folder: Path, **facts: Any) -> tuple[Stack, SealedPlan]:
    """Return a stack with a sealed plan, nothing run."""
    project, sealed_plan = sealed_project(folder / "project", **facts)
    return last_stack(Location.of(project, {}), SEALED), sealed_plan


def applied(stack: Stack, sealed_plan: str, to: Destination, workspace: str = "default") -> None:
    """Write down an apply that went well."""
    details = {"kind": "apply", **record(to, workspace)}
    stack.history.append(Event.APPLY_START, sealed_plan=sealed_plan, details=details)
    stack.history.append(Event.RESULT, sealed_plan=sealed_plan, details={"ok": True})


@pytest.mark.parametrize(
    "change",
    [
        {"account": THEIRS},
        {"partition": "aws-cn"},
        {"region": "us-east-1"},
        {"endpoints": "http://127.0.0.1:5000"},
    ],
)
def test_each_part_of_a_destination_counts(tmp_path: Path, change: dict[str, str]) -> None:
    """Account, partition, region, endpoint: each is refused where it differs, and named."""
    stack, _ = stack_of(tmp_path)
    applied(stack, "b1", HOME)
    check_destination(stack, "default", HOME, None)
    now = Destination(**{"account": OURS, "partition": "aws", "region": "eu-west-2", **change})
    with pytest.raises(GuardRefused) as raised:
        check_destination(stack, "default", now, None)
    assert f"plan again with --account-moved {now.account}" in str(raised.value)
    assert next(iter(change.values())) in str(raised.value)
    check_destination(stack, "default", now, now.account)


def test_the_account_that_is_named_has_to_be_todays(tmp_path: Path) -> None:
    """Whoever types another account number does not know where they are."""
    stack, _ = stack_of(tmp_path)
    with pytest.raises(UsageError, match=f"--account-moved.*{THEIRS}.*{OURS}"):
        check_destination(stack, "default", HOME, THEIRS)


def test_only_the_last_apply_of_the_same_workspace_counts(tmp_path: Path) -> None:
    """Workspaces have states of their own; what was destroyed as a whole belongs nowhere."""
    stack, _ = stack_of(tmp_path)
    there = Destination(account=THEIRS, partition="aws", region="us-east-1")
    applied(stack, "b1", there)
    applied(stack, "b2", HOME, "blue")
    assert last_destination(stack, "default") == there
    assert last_destination(stack, "blue") == HOME
    assert last_destination(stack, "green") is None
    details = {"kind": "destroy", **record(HOME, "blue")}
    stack.history.append(Event.APPLY_START, sealed_plan="b3", details=details)
    assert last_destination(stack, "blue") == HOME  # it may have stopped half-way
    stack.history.append(Event.RESULT, sealed_plan="b3", details={"ok": True})
    assert last_destination(stack, "blue") is None


def test_endpoints_of_aws_itself_are_no_other_place(tmp_path: Path) -> None:
    """A VPC endpoint or a regional one is AWS; credentials in an address are not written down."""
    aws = {
        "AWS_ENDPOINT_URL_STS": "https://sts.eu-west-2.amazonaws.com",
        "AWS_ENDPOINT_URL_S3": "https://bucket.vpce-1.s3.eu-west-2.vpce.amazonaws.com",
        "AWS_USE_FIPS_ENDPOINT": "true",
    }
    settings = tmp_path / "config"
    settings.write_text("[profile lab]\nendpoint_url = http://me:secret@profile:2\n")
    profile = {"AWS_CONFIG_FILE": str(settings), "AWS_PROFILE": "lab"}
    named = {**aws, "AWS_ENDPOINT_URL_EC2": "http://me:secret@lab:1"}
    for number, (environment, expected) in enumerate(
        [(aws, ""), (named, "http://lab:1"), (profile, "http://profile:2")]
    ):
        stack, sealed_plan = stack_of(
            tmp_path / str(number),
            account=OURS,
            caller=CALLER,
            region="eu-west-2",
            endpoints=configured_endpoints(environment),
        )
        assert destination_of(stack, sealed_plan.manifest.facts).endpoints == expected
        place = AwsLocation("eu-west-2", None, None, configured_endpoints(environment))
        caller: Future[Identity | None] = Future()
        caller.set_result(Identity(account=OURS, caller=CALLER))
        assert destination_now(stack, "default", place, caller).endpoints == expected


@pytest.fixture(scope="module")
def ours() -> Iterator[Sandbox]:
    """Our account."""
    with Sandbox.start(account_id=OURS) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def theirs() -> Iterator[Sandbox]:
    """Another account."""
    with Sandbox.start(account_id=THEIRS) as sandbox:
        yield sandbox


@pytest.mark.engine
def test_the_state_stays_with_its_account(tmp_path: Path, ours: Sandbox, theirs: Sandbox) -> None:
    """Whatever the settings say: plan, drift, destroy, apply refuse; typed, the account moves."""
    require_provider()
    project = LightProject(tmp_path / "project", {STACK: MODEL})
    here, there = (each.environment(kept_settings()) for each in (ours, theirs))
    early = project.plan(environment=there)  # before there was anything to compare with
    project.plan(environment=here)
    assert project.run("apply", environment=here).status == EXIT_DONE
    state = project.folder / "state" / f"{STACK}.tfstate"
    before = state.read_bytes()

    def refused(*words: str) -> None:
        ended = project.run(*words, environment=there)
        assert ended.status == EXIT_GUARD, ended.out + ended.err
        assert OURS in ended.err
        assert THEIRS in ended.err
        assert "Planning" not in ended.err

    for account in (OURS, THEIRS):
        LightProject(project.folder, {STACK: MODEL}, {"stacks": {STACK: {"account": account}}})
        refused("plan")
    LightProject(project.folder, {STACK: MODEL})
    refused("plan")
    refused("drift")
    refused("destroy", "--confirm", STACK)
    refused("apply", early.name)
    assert state.read_bytes() == before
    assert project.run("plan", "--account-moved", OURS, environment=there).status == EXIT_USAGE
    ended = project.run("plan", "--account-moved", THEIRS, "--var=word=moved", environment=there)
    assert ended.status == EXIT_DONE, ended.err
    assert project.run("apply", environment=there).status == EXIT_DONE
    ended = project.run("plan", environment=here)
    assert ended.status == EXIT_GUARD
    assert f"the last apply went to account {THEIRS}" in ended.err


@pytest.mark.engine
@pytest.mark.parametrize("workspace", ["default", "blue"])
def test_an_output_folder_that_was_set_and_unset_is_noticed(tmp_path: Path, workspace: str) -> None:
    """Also where a state lies in the usual place already: an empty one of an earlier life."""
    project = LightProject(tmp_path / "project")
    usual = {"TF_WORKSPACE": workspace} if workspace != "default" else {}
    set_ = {**usual, "CDKTF_OUTDIR": str(tmp_path / "elsewhere" / "out")}
    if workspace == "default":
        project.plan(environment=usual)
        assert project.run("apply", environment=usual).status == EXIT_DONE
        assert project.run("destroy", "--confirm", STACK, environment=usual).status == EXIT_DONE
    project.plan(environment=set_)
    assert project.run("apply", environment=set_).status == EXIT_DONE
    for words in (["plan"], ["drift"], ["destroy", "--confirm", STACK]):
        ended = project.run(*words, environment=usual)
        assert ended.status == EXIT_USAGE, ended.out
        assert "CDKTF_OUTDIR" in ended.err
        assert str(tmp_path / "elsewhere") in ended.err
    # Moved as the line says, it goes on where it was.
    there = tmp_path / "elsewhere" / "state" / f"{STACK}.tfstate"
    if workspace == "default":
        there.replace(project.folder / "state" / f"{STACK}.tfstate")
        assert project.run("plan", environment=usual).status == EXIT_DONE
